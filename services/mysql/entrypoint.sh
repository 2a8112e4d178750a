#!/bin/sh
# Makes the data folder at the first start, and root's password and the database at every start (all idempotent), by the
# variables of the official image: MYSQL_ROOT_PASSWORD and MYSQL_DATABASE.
set -eu
if [ ! -d /var/lib/mysql/mysql ]; then
  mysqld --initialize-insecure
fi
init=$(mktemp)
cat >"$init" <<SQL
ALTER USER 'root'@'localhost' IDENTIFIED BY '${MYSQL_ROOT_PASSWORD}';
CREATE USER IF NOT EXISTS 'root'@'%';
ALTER USER 'root'@'%' IDENTIFIED BY '${MYSQL_ROOT_PASSWORD}';
GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS \`${MYSQL_DATABASE}\`;
SQL
exec mysqld --init-file="$init"

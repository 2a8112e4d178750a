#!/bin/sh
# Makes the cluster and the database at the first start, and sets the password at every start, by the variables of the official
# image: POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB.
set -eu
volume=/var/lib/postgresql/data
data=$volume/cluster

single() { # one SQL statement in database $1, without a server
  postgres --single -D "$2" "$1" >/dev/null
}

if [ ! -d "$data" ]; then
  # Made beside its final place and renamed when complete, so that a first start that is killed half-way begins anew.
  rm -rf "$volume/new"
  initdb --username="$POSTGRES_USER" --encoding=UTF8 --locale=C.UTF-8 --auth=trust -D "$volume/new"
  if [ "$POSTGRES_DB" != postgres ]; then
    echo "CREATE DATABASE \"$POSTGRES_DB\"" | single postgres "$volume/new"
  fi
  mv "$volume/new" "$data"
fi
# After a crash the old server's lock is still there, and with the same process id in a new container it looks alive.
rm -f "$data/postmaster.pid"
password=$(printf %s "$POSTGRES_PASSWORD" | sed "s/'/''/g")
echo "ALTER ROLE \"$POSTGRES_USER\" PASSWORD '$password'" | single postgres "$data"
exec postgres -D "$data" -c config_file=/etc/pipeline.conf

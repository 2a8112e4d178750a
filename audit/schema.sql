-- The books: what each place holds, a row a record, as it was read there. Sequence numbers of Kinesis exceed every numeric type.

-- What the far side acknowledged, from the ledger.
create table acknowledged (frame text, ind bigint, topic text, "partition" int, "offset" bigint);
create table stream_acknowledged (frame text, ind bigint, stream text, shard text, sequence text);

-- What the broker holds. A tombstone is a record without a value, which the sink leaves out.
create table partitions (topic text, "partition" int, first_offset bigint);
create table records (topic text, "partition" int, "offset" bigint, tombstone boolean);
create table dead_letters (topic text, "partition" int, "offset" bigint);

-- What lies under topics/. `said_first` and `said_last` are what the object's metadata says, null where it says nothing.
create table objects ("key" text, topic text, "partition" int, first_offset bigint, lines bigint, said_first bigint, said_last bigint);
create table strangers ("key" text);
create table lines (frame text, topic text, "partition" int, "offset" bigint, ind bigint);

-- What the Delta tables hold.
create table rows (frame text, ind bigint, "partition" int, "offset" bigint);
create table quarantine (frame text, topic text, "partition" int, "offset" bigint);
create table stream_rows (frame text, ind bigint, shard text, sequence text, subsequence int);
create table stream_quarantine (frame text, stream text, shard text, sequence text, subsequence int);

-- What became of each record. Of several records of one post the last in its log wins (contract §6): highest offset, then partition;
-- highest sequence number, of which the longer is the larger.

create table line_fates as
with latest as (select frame, ind, max(row("offset", "partition")) as place from rows group by all),
rejected as (select distinct topic, "partition", "offset", true as is_rejected from quarantine)
select lines.*,
    case
        when is_rejected and latest.place = row("offset", "partition") then 'both'
        when is_rejected then 'quarantined'
        when latest.place = row("offset", "partition") then 'current'
        when latest.place > row("offset", "partition") then 'superseded'
        else 'missing'
    end as fate
from lines
left join rejected using (topic, "partition", "offset")
left join latest using (frame, ind);

create table stream_fates as
with latest as (
    select frame, ind, max(row(length(sequence), sequence, shard)) as place from stream_rows group by all
),
rejected as (select distinct stream, shard, sequence, true as is_rejected from stream_quarantine),
taken as (select distinct * from stream_acknowledged)
select taken.*,
    case
        when is_rejected then 'quarantined'
        when latest.place = row(length(sequence), sequence, shard) then 'current'
        when latest.place > row(length(sequence), sequence, shard) then 'superseded'
        else 'missing'
    end as fate
from taken
left join rejected using (stream, shard, sequence)
left join latest using (frame, ind);

-- Objects of one partition in the order of their offsets. An object's lines are contiguous in the log.
create table spans as
select *, first_offset + lines - 1 as last_offset,
    lag(first_offset + lines) over (partition by topic, "partition" order by first_offset) as expected_offset
from objects;

-- Offsets between two objects, and how many of them are dead letters and tombstones, which the sink leaves out.
create table gaps as
with left_out as (
    select * from dead_letters union select topic, "partition", "offset" from records where tombstone
)
select spans.topic, spans."partition", expected_offset, first_offset, "key", count(left_out."offset") as explained
from spans left join left_out on left_out.topic = spans.topic and left_out."partition" = spans."partition"
    and left_out."offset" >= expected_offset and left_out."offset" < first_offset
where first_offset > expected_offset
group by all;

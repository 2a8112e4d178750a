-- The source's rows (contract §1) to the ten answers (contract §7), in one database's views. Written from the contract alone.
-- Input: pinterest_data, geolocation_data, user_data, as MySQL holds them; a row may be there more than once.

create view pin as
select distinct
    "index" as ind,
    case when poster_name not in ('', 'User Info Error') then poster_name end as poster_name,
    case when category <> '' then category end as category,
    -- A trailing k or M multiplies; whatever is not a number is unknown, and so is a trillion.
    cast(
        trunc(
            try_cast(regexp_extract(follower_count, '^(\d+(\.\d+)?)[kKmM]?$', 1) as decimal(18, 6))
            * case lower(right(follower_count, 1)) when 'k' then 1000 when 'm' then 1000000 else 1 end
        ) as bigint
    ) as follower_count
from pinterest_data;

create view geo as
select distinct ind, year("timestamp") as posted, case when country <> '' then country end as country
from geolocation_data
where coalesce(latitude between -90 and 90, true) and coalesce(longitude between -180 and 180, true);

create view person as
select distinct ind, first_name || ' ' || last_name as user_name, age, date_joined, year(date_joined) as joined
from user_data
where coalesce(age between 0 and 120, true);

create view grown as
select
    *,
    case
        when age < 18 then null
        when age < 25 then '18-24'
        when age < 36 then '25-35'
        when age <= 50 then '36-50'
        when age > 50 then '50+'
    end as age_group
from person;

-- 1: the most popular category in each country.
create view answer_1 as
select country, category, category_count
from (select country, category, count(*) as category_count from pin join geo using (ind) group by country, category)
where country is not null and category is not null
qualify category_count = max(category_count) over (partition by country);

-- 2: the most popular category in each year; 2_all: every category's count.
create view answer_2_all as
select posted as post_year, category, count(*) as category_count
from pin join geo using (ind)
where posted in (2018, 2019, 2020, 2021, 2022) and category is not null
group by posted, category;

create view answer_2 as
select * from answer_2_all as one
where not exists (
    select 1 from answer_2_all as other
    where other.post_year = one.post_year and other.category_count > one.category_count
);

-- 3: the poster with most followers in each country; 3_top: the country with the most-followed poster.
create view answer_3 as
select distinct country, poster_name, follower_count
from pin join geo using (ind)
where country is not null and poster_name is not null and follower_count is not null
qualify follower_count = max(follower_count) over (partition by country);

create view answer_3_top as
select * from answer_3 where follower_count = (select max(follower_count) from answer_3);

-- 4: the most popular category in each age group.
create view answer_4 as
select age_group, category, count(*) as category_count
from pin join grown using (ind)
where age_group is not null and category is not null
group by age_group, category
qualify count(*) = max(count(*)) over (partition by age_group);

-- 5, 7, 8: median follower counts of posts.
create view answer_5 as
select age_group, median(follower_count) as median_follower_count
from pin join grown using (ind)
where age_group is not null and follower_count is not null
group by age_group;

create view answer_7 as
select joined as post_year, median(follower_count) as median_follower_count
from pin join grown using (ind)
where joined >= 2015 and joined <= 2020 and follower_count is not null
group by joined;

create view answer_8 as
select age_group, joined as post_year, median(follower_count) as median_follower_count
from pin join grown using (ind)
where joined >= 2015 and joined <= 2020 and age_group is not null and follower_count is not null
group by age_group, joined;

-- 6: users, not posts, by the year in which they joined.
create view answer_6 as
select joined as post_year, count(*) as number_users_joined
from (select distinct user_name, date_joined, joined from person)
where joined >= 2015 and joined <= 2020
group by joined;

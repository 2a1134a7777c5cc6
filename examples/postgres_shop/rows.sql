-- Made-up rows, the same each time. :months months from 2024-01 on have :orders orders each.
insert into countries values ('DE', 'Germany', 19), ('FR', 'France', 20), ('NL', 'Netherlands', 21);
insert into stores select n, 'Store ' || n, (array['DE', 'FR', 'NL'])[n], '{"mo-fr": ["09:00", "18:00"]}' from generate_series(1, 3) n;
insert into employees select n, 1 + n % 3, 'Employee ' || n, (array['sales', 'stock'])[1 + n % 2] from generate_series(1, 12) n;
insert into suppliers select n, 'Supplier ' || n, (array['DE', 'FR', 'NL'])[1 + n % 3], n * interval '36 hours' from generate_series(1, 5) n;
insert into categories select n, 'Category ' || n, case when n > 3 then n % 3 + 1 end from generate_series(1, 9) n;
insert into products select n, 1 + n % 9, 1 + n % 5, 'Product ' || n, 2.5 + n * 0.49, array['tag ' || n % 4, 'new'], n % 10 <> 0 from generate_series(1, 50) n;
insert into stock_levels select p, s, p * s % 40 from generate_series(1, 50) p, generate_series(1, 3) s;
insert into coupons select 'SAVE' || n, n, case when n < 20 then date '2024-12-31' end from generate_series(5, 25, 5) n;
insert into customers select md5('customer ' || n)::uuid, 'customer' || n || '@example.com', 'Customer ' || n, (array['DE', 'FR', 'NL'])[1 + n % 3], case when n % 3 > 0 then n % 3 = 1 end from generate_series(1, 200) n;
insert into addresses select n, md5('customer ' || 1 + n % 200)::uuid, n || ' High Street', 'City ' || n % 17 from generate_series(1, 250) n;

create temporary table numbered as
select m * 100000 + n as id, n, timestamptz '2024-01-01 00:00Z' + m * interval '1 month' + n * interval '27 days' / :orders as at
from generate_series(0, :months - 1) m, generate_series(1, :orders) n;

insert into orders select id, md5('customer ' || 1 + id % 200)::uuid, 1 + n % 3, case when n % 7 = 0 then 'SAVE10' end, (enum_range(null::order_status))[1 + n % 4], at from numbered;
insert into order_lines select id, l, 1 + (id * l) % 50, 1 + n % 3, 2.5 + (1 + (id * l) % 50) * 0.49 from numbered, generate_series(1, 3) l where l <= 1 + n % 3;
insert into payments select id, id, (array['card', 'transfer'])[1 + n % 2], total, at + interval '1 hour'
from numbered join (select order_id, sum(pieces * price) as total from order_lines group by order_id) t on order_id = id where n % 4 > 0;
insert into refunds select id, id, amount / 2, (paid_at + interval '1 day')::date from payments where id % 20 = 3;
insert into shipments select id, id, json_build_object('grams', n * 10, 'size', json_build_array(n % 30, 20)), (at + interval '12 hours') at time zone 'UTC' from numbered where n % 4 > 1;
insert into reviews select id, 1 + id % 50, md5('customer ' || 1 + id % 200)::uuid, 1 + n % 5, case when n % 2 = 0 then 'Fine, but ' || n end, at from numbered where n % 5 = 0;
insert into page_views select id * 10 + v, case when v = 1 then md5('customer ' || 1 + id % 200)::uuid end, '/product/' || 1 + id % 50, ('10.0.0.' || v)::inet, at - v * interval '1 minute' from numbered, generate_series(1, 4) v;
insert into stock_movements select id, 1 + id % 50, 1 + n % 3, n % 11 - 5, at::date from numbered;
insert into support_messages select id, id, 'Where is order ' || id || '?', case when n % 2 = 0 then n * interval '7 minutes' end, at + interval '2 hours' from numbered where n % 9 = 0;
insert into price_changes select distinct on (1 + id % 50, at::date) 1 + id % 50, at::date, 2.5, 2.75 from numbered where n % 25 = 0;

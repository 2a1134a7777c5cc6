-- Twenty tables of a shop. The first ten have no dates that matter: each lands as a snapshot.
create table countries (code char(2) primary key, name text not null, vat_percent numeric(4, 2) not null);
create table stores (id int primary key, name text not null, country char(2) references countries, opening_hours jsonb);
create table employees (id int primary key, store_id int references stores, name text not null, role text not null);
create table suppliers (id int primary key, name text not null, country char(2) references countries, delivers_within interval);
create table categories (id int primary key, name text not null, parent_id int references categories);
create table products (
    id int primary key, category_id int not null references categories, supplier_id int references suppliers,
    name text not null, price numeric(10, 2) not null, tags text[] not null, is_sold boolean not null
);
create table stock_levels (product_id int references products, store_id int references stores, pieces int not null, primary key (product_id, store_id));
create table coupons (code text primary key, percent smallint not null, valid_until date);
create table customers (id uuid primary key, email text not null unique, name text not null, country char(2) references countries, "Newsletter?" boolean);
create table addresses (id int primary key, customer_id uuid not null references customers, street text not null, city text not null);

create type order_status as enum ('open', 'paid', 'sent', 'returned');
create table orders (
    id bigint primary key, customer_id uuid not null references customers, store_id int references stores,
    coupon_code text references coupons, status order_status not null, created_at timestamptz not null
);
create table order_lines (
    order_id bigint references orders, line smallint, product_id int not null references products,
    pieces int not null, price numeric(10, 2) not null, primary key (order_id, line)
);
create table payments (id bigint primary key, order_id bigint not null references orders, method text not null, amount numeric(12, 2) not null, paid_at timestamptz not null);
create table refunds (id bigint primary key, payment_id bigint not null references payments, amount numeric(12, 2) not null, refunded_on date not null);
create table shipments (id bigint primary key, order_id bigint not null references orders, parcel json, sent_at timestamp not null);
create table reviews (id bigint primary key, product_id int not null references products, customer_id uuid references customers, stars smallint not null, words text, written_at timestamptz not null);
create table page_views (id bigint primary key, customer_id uuid, path text not null, address inet, "@timestamp" timestamptz not null);
create table stock_movements (id bigint primary key, product_id int not null, store_id int not null, pieces int not null, moved_on date not null);
create table support_messages (id bigint primary key, order_id bigint references orders, body text not null, answered_after interval, received_at timestamptz not null);
create table price_changes (product_id int references products, changed_on date, old_price numeric(10, 2) not null, new_price numeric(10, 2) not null, primary key (product_id, changed_on));

create index on orders (created_at);
create index on payments (paid_at);
create index on page_views ("@timestamp");

{{ config(pre_hook="select 1") }}

select
    id,
    customer,
    cast(amount as numeric(18,3)) as amount,
    cast({{ cents('amount') }} as numeric(18,3)) as cents,
    cast('{{ this }}' as text) as self
from {{ ref('stg_orders') }}
where id is not null

{{ config(alias=alias_macro('m_alias')) }}
select order_id from {{ ref('orders') }}

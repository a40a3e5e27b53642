-- Under contract, with a primary key.
select
    countries.country_code,
    countries.country_name,
    rates.rate,
    cast(100 * (1 + countries.vat_rate / 100) as decimal(10, 2)) as gross
from {{ ref('countries') }} as countries
left join {{ ref('rates') }} as rates
    on rates.currency = case countries.country_code when 'CH' then 'CHF' when 'DK' then 'DKK' when 'NA' then 'NAD' when 'TR' then 'TRY' end

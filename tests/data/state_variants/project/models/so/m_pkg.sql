select d, {{ shared_pkg.days_between('d', 'd') }} as n from {{ ref('shared_pkg', 'shared_calendar') }}

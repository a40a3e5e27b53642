select date '2018-01-01' as d, {{ shared_pkg.days_between("date '2018-01-01'", "date '2018-02-01'") }} as n

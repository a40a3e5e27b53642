-- hand-written: there are no transactions; every insert is repeatable


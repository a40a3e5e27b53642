-- hand-written: there are no transactions; every insert can be repeated


"""`make indexes`: what each index of revision 006 gives to the queries that it is for, and what it costs."""

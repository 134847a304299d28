"""How the bytes of a file are taken apart and put together: one module a format and direction.

`common.Reader` and `common.Writer` are what each of them does; `reading` and `writing` choose by
the layout. What values mean and whether totals agree is the same for all of them: `checking`.
"""

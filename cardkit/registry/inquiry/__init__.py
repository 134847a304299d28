"""The inquiry interface 信息查询接口: what other systems may ask of the registry ([D34]).

`questions` says what can be asked, `rights` what a client may see, `clients` who that is,
`desk` answers many questions from one snapshot, `regions` knows whose card is another region's.
Only `app` knows HTTP, only `server` opens a port.
"""

# pip install dnspython
import dns.message
import dns.name
import dns.rdatatype
import dns.reversename
import dns.zone

query = dns.message.make_query("www.example.org", "MX", id=7, use_edns=True)
wire = query.to_wire()
print(wire.hex(), dns.message.from_wire(wire).question)
zone = dns.zone.from_text("@ 300 IN SOA ns. me. 1 2 3 4 5\n@ NS ns\nwww A 10.0.0.1\nwww AAAA ::1\n", "example.org.")
for name, node in zone.items():
    for rdataset in node:
        print(name, rdataset)
print(dns.reversename.from_address("10.1.2.3"), dns.name.from_text("bücher.de").to_text(), dns.rdatatype.from_text("TXT"))

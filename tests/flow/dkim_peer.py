# SPDX-License-Identifier: Apache-2.0
"""dkim_peer: verifies the signatures of a mail by dkimpy, which is none of
ours. Reads JSON of the mail (in Latin-1) and the records that DNS would have;
writes for each signature its domain and selector, and whether it holds."""
import json
import sys

import dkim


def main():
    asked = json.load(sys.stdin)
    records = {k.encode(): v.encode() for k, v in asked["records"].items()}
    d = dkim.DKIM(asked["mail"].encode("latin-1"))
    n = len([name for name, _ in d.headers if name.lower() == b"dkim-signature"])
    found = []
    for i in range(n):
        try:
            good = d.verify(idx=i, dnsfunc=lambda name, timeout=5: records.get(name))
        except dkim.DKIMException:
            good = False
        found.append([d.domain.decode(), d.selector.decode(), good] if good else ["", "", False])
    json.dump(found, sys.stdout)


main()

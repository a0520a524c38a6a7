// XCLIENT in the dialogue: the session begins again, as the client's that the filter names.

private import MailModel

extension ServerSession {
    mutating func xclient(_ said: XClient) {
        guard transaction == nil, identity == nil else { return refuse(.nestedMail) }
        if let address = said.address { peer = address }
        client = said.helo.map { Client(name: $0, isExtended: said.isExtended ?? true) }
        counters = Counters()
        totals = Totals()
        reply(greeting)
    }
}

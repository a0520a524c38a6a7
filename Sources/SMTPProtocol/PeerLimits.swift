// What a server says that it will not take more of. It is advice: who ignores it hears 452 or 421.

private import MailModel

/// The values of LIMITS (RFC 9422 §6); nil where the server states none.
package struct PeerLimits: Sendable, Hashable {
    /// RCPTMAX: recipients of one transaction.
    package var recipients: Int?
    /// MAILMAX: transactions of one session.
    package var transactions: Int?
    /// RCPTDOMAINMAX: different domains of recipients in one session.
    package var recipientDomains: Int?

    package init(recipients: Int? = nil, transactions: Int? = nil, recipientDomains: Int? = nil) {
        self.recipients = recipients
        self.transactions = transactions
        self.recipientDomains = recipientDomains
    }

    /// The words behind the keyword. What is no limit, or one that we do not know, means nothing (RFC 9422 §4).
    init(words: some Sequence<ArraySlice<UInt8>>) {
        self.init()
        for word in words {
            let name = word.prefix { $0 != UInt8(ascii: "=") }
            guard let value = word.dropFirst(name.count + 1).decimalValue, value > 0, value <= 999_999 else { continue }
            if name.equalsIgnoringASCIICase("RCPTMAX") { recipients = value }
            if name.equalsIgnoringASCIICase("MAILMAX") { transactions = value }
            if name.equalsIgnoringASCIICase("RCPTDOMAINMAX") { recipientDomains = value }
        }
    }
}

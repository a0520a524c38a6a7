// What the trace field of a long message needs before its content has ended.

package import MailModel

extension ServerSession {
    /// The envelope of the transaction that goes on, if one does.
    package var envelope: Envelope? {
        transaction.map {
            Envelope(
                sender: $0.sender, recipients: $0.recipients, body: $0.body, options: $0.options, recipientOptions: $0.recipientOptions)
        }
    }

    /// What is known of the client so far; sizes and header facts are those of the content's end.
    package var clientFacts: AcceptFacts {
        AcceptFacts(
            size: 0, messageID: nil, receivedCount: 0, clientName: client?.name ?? [], isExtended: client?.isExtended ?? false,
            isTLS: isTLS, identity: identity, isSpilled: true, isChunked: transaction?.isChunked ?? false)
    }
}

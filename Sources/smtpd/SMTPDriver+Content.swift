// The content of a message on its way from the session: in memory, or to a file of its own once it is long.

import Connection
import Kernel
import MailModel
import SMTPProtocol

extension SMTPDriver {
    /// The message that has come to its end.
    func message(_ envelope: Envelope, _ content: [UInt8], _ facts: AcceptFacts, _ wire: Wire<SessionAnswer>) -> Acceptance {
        let host = shared.session.hostName
        let body: AcceptedContent
        if let big {
            pass(content)
            big.append(incoming?.finish() ?? [])
            body = .big(big)
        } else {
            body = .inline(IncomingContent.whole(content, envelope, facts, host: host))
        }
        big = nil
        incoming = nil
        return Acceptance(
            envelope: envelope, facts: facts, peer: peer, tls: wire.tls?.trace, policy: policy?.messageGiven(envelope) ?? PolicyMarks(), content: body,
            replyTo: wire.replyAddress)
    }

    /// A piece of a message above the inline limit; the first one makes its file.
    func spill(_ bytes: [UInt8], _ wire: Wire<SessionAnswer>) {
        if big == nil {
            let content = shared.intake.beginBig()
            if let envelope = session.envelope {
                let trace = shared.trace.bytes(
                    id: content.id, envelope: envelope, facts: session.clientFacts, peer: peer, tls: wire.tls?.trace, now: .now())
                content.begin((policy?.fields ?? []) + trace, keepsHeader: filter != nil)
            }
            big = content
            incoming = IncomingContent(session.envelope, session.clientFacts, host: shared.session.hostName)
        }
        pass(bytes)
    }

    private func pass(_ bytes: [UInt8]) {
        // Moved out and back, so that what it holds is never copied.
        var passing = incoming
        incoming = nil
        big?.append(passing?.take(bytes) ?? bytes)
        incoming = passing
    }
}

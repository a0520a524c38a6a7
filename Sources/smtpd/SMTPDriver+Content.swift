// The content of a message on its way from the session: in memory, or to a file of its own once it is long.

import Connection
import Kernel
import MailFormat
import MailModel
import SMTPProtocol

extension SMTPDriver {
    /// The message that has come to its end; nil where it was refused.
    func message(_ envelope: Envelope, _ content: [UInt8], _ facts: AcceptFacts, _ wire: Wire<SessionAnswer>) -> Acceptance? {
        let body: AcceptedContent
        if let big {
            big.append(passed(content))
            let rest = incoming?.finish() ?? []
            examine(rest, isWhole: false)
            big.append(rest)
            body = .big(big)
        } else {
            let whole = IncomingContent.whole(content, envelope, facts, host: shared.session.hostName)
            examine(whole, isWhole: true)
            body = .inline(whole)
        }
        big = nil
        incoming = nil
        let (missing, refusal) = examined(envelope, facts)
        if let refusal {
            body.discard()
            session.answered(.message(refusal))
            return nil
        }
        return Acceptance(
            envelope: envelope, facts: facts, peer: peer, tls: wire.tls?.trace, policy: policy?.messageGiven(envelope) ?? PolicyMarks(), content: body,
            missing: missing, replyTo: wire.replyAddress)
    }

    /// A piece of a message above the inline limit; the first one makes its file.
    func spill(_ bytes: [UInt8], _ wire: Wire<SessionAnswer>) {
        if big == nil { incoming = IncomingContent(session.envelope, session.clientFacts, host: shared.session.hostName) }
        let kept = passed(bytes)
        if big == nil { big = begun(wire) }
        big?.append(kept)
    }

    /// The file, with our fields on top; what the header lacks is known by now.
    private func begun(_ wire: Wire<SessionAnswer>) -> BigContent {
        let content = shared.intake.beginBig()
        guard let envelope = session.envelope else { return content }
        let missing = examination.flatMap { shared.rules?.missing($0) } ?? []
        let trace = shared.trace.bytes(
            id: content.id, envelope: envelope, facts: session.clientFacts, peer: peer, tls: wire.tls?.trace, now: .now(), missing: missing)
        content.begin((policy?.fields ?? []) + trace, keepsHeader: filter != nil)
        return content
    }

    private func passed(_ bytes: [UInt8]) -> [UInt8] {
        // Moved out and back, so that what it holds is never copied.
        var passing = incoming
        incoming = nil
        let out = passing?.take(bytes) ?? bytes
        incoming = passing
        examine(out, isWhole: false)
        return out
    }
}

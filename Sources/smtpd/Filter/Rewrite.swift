// A message that filters changed, as it is accepted: in memory where it is short, in a file of its own where it is not.

import Kernel
import MailModel
import SMTPProtocol
import Spool

/// What a changed message is made of.
struct Rewrite: Sendable {
    /// With the new envelope and the old content.
    let acceptance: Acceptance
    let header: [UInt8]
    /// Octets of the header as it was received: the body follows them.
    let receivedHeader: Int
    /// The new body; nil while it is the received one.
    let body: [UInt8]?
    /// Octets of header and body.
    let size: Int

    private static let piece = 1 << 20

    /// A short message that stays one; nil if files must be read or written.
    func inMemory() -> Acceptance? {
        guard size <= MailLog.inlineLimit else { return nil }
        switch (acceptance.content, body) {
        case (.inline(let content), nil): return acceptance.with(.inline(header + content.dropFirst(receivedHeader)), size: size)
        case (.inline, let body?): return acceptance.with(.inline(header + body), size: size)
        case (.big, _): return nil
        }
    }

    /// Writes what is to be accepted; nil if that fails, and then nothing is left. For a worker.
    func onDisk(_ intake: Intake, _ trace: TraceField) -> Acceptance? {
        switch acceptance.content {
        case .inline(let content):
            let file = intake.beginBig()
            begin(file, trace)
            file.append(body ?? Array(content.dropFirst(receivedHeader)))
            return acceptance.with(.big(file), size: size)
        case .big(let old):
            if let body, size <= MailLog.inlineLimit {
                old.discard()
                return acceptance.with(.inline(header + body), size: size)
            }
            return replace(old, trace)
        }
    }

    private func begin(_ file: BigContent, _ trace: TraceField) {
        let field = trace.bytes(
            id: file.id, envelope: acceptance.envelope, facts: acceptance.facts, peer: acceptance.peer, tls: acceptance.tls, now: .now(),
            missing: acceptance.missing)
        file.begin(acceptance.policy.fields + field)
        file.append(header)
    }

    /// A file of the same name takes the place of the received one, which stays open until it is copied.
    private func replace(_ old: BigContent, _ trace: TraceField) -> Acceptance? {
        var start = old.start + receivedHeader
        let end = old.length
        guard let source = old.reader() else {
            old.discard()
            return nil
        }
        old.discard()
        let new = old.successor()
        begin(new, trace)
        if let body {
            new.append(body)
        } else {
            while start < end {
                let count = min(Rewrite.piece, end - start)
                guard let bytes = try? source.read(count, at: Int64(start)), bytes.count == count else {
                    new.discard()
                    return nil
                }
                new.append(bytes)
                start += count
            }
        }
        return acceptance.with(.big(new), size: size)
    }
}

extension Acceptance {
    /// Octets of content, without our trace field.
    var octets: Int {
        switch content {
        case .inline(let bytes): bytes.count
        case .big(let file): file.length - file.start
        }
    }

    func with(_ envelope: Envelope) -> Acceptance {
        var changed = self
        changed.envelope = envelope
        return changed
    }

    func with(_ content: AcceptedContent, size: Int) -> Acceptance {
        var changed = self
        changed.facts.size = size
        changed.content = content
        return changed
    }
}

// The message as milters leave it. Invariant: what comes out is a header and a body in wire form, whatever a milter gave.

package import MailModel

/// A message and its envelope while milters change it, one after the other.
package struct MessageEdits: Sendable {
    package private(set) var sender: ReversePath
    /// ESMTP parameters of a sender that a milter set.
    package private(set) var senderParameters: [[UInt8]] = []
    /// Empty if a milter deleted all: then the message is to nobody, and dropped.
    package private(set) var recipients: [EmailAddress]
    /// Why the message is to be held; nil if it is not.
    package private(set) var quarantine: [UInt8]?
    /// The new body with CRLF line ends; nil while it is the one that was received.
    package private(set) var replacedBody: [UInt8]?
    package private(set) var isHeaderChanged = false

    private var section: MessageHeader

    /// `header`: the received octets up to and with the empty line.
    package init(header: [UInt8], sender: ReversePath, recipients: [EmailAddress]) {
        section = MessageHeader(header[...])
        self.sender = sender
        self.recipients = recipients
    }

    /// Where the body of a message begins: behind its first empty line, or at its end if it is a header alone.
    package static func bodyStart(of content: [UInt8]) -> Int {
        var lineStart = 0
        for (index, byte) in content.enumerated() where byte == 10 {
            if index == lineStart || index == lineStart + 1 && content[lineStart] == 13 { return index + 1 }
            lineStart = index + 1
        }
        return content.count
    }

    /// The message as it is now, given the body that was received.
    package func content(receivedBody: some Collection<UInt8>) -> [UInt8] {
        replacedBody.map { header + $0 } ?? header + receivedBody
    }

    /// The header section with its empty line.
    package var header: [UInt8] { section.bytes }

    /// The fields as the next milter is to see them.
    package var fields: [MilterField] { section.fields }

    /// Applies what one milter asked for, in its order.
    package mutating func apply(_ modifications: [MilterModification]) {
        var body: BodyLines?
        for modification in modifications {
            if case .replaceBody(let piece) = modification {
                body = body ?? BodyLines()
                body?.append(piece)
            } else {
                apply(modification)
            }
        }
        section.forgetDeleted()
        guard let body else { return }
        replacedBody = body.finished()
        section.closeSection()
    }

    private mutating func apply(_ modification: MilterModification) {
        switch modification {
        case .addRecipient(let address, _):
            // The parameters (NOTIFY, ORCPT) are those of RFC 3461, which is not kept here.
            if !recipients.contains(address) { recipients.append(address) }
        case .deleteRecipient(let address): recipients.removeAll { $0 == address }
        case .changeSender(let path, let parameters): (sender, senderParameters) = (path, parameters)
        case .quarantine(let reason): quarantine = reason
        case .replaceBody: break
        case .addHeader(let field): change { $0.add(field) }
        case .insertHeader(let index, let field): change { $0.insert(field, at: index) }
        case .changeHeader(let index, let field): change { $0.change(field, index: index) }
        case .deleteHeader(let index, let name): change { $0.delete(name, index: index) }
        }
    }

    private mutating func change(_ edit: (inout MessageHeader) -> Void) {
        isHeaderChanged = true
        edit(&section)
    }
}

/// A body in pieces, brought to CRLF: a lone CR or LF of a milter would be ours when we send it on (CVE-2023-51764).
private struct BodyLines {
    private var out: [UInt8] = []
    private var afterReturn = false

    mutating func append(_ piece: [UInt8]) {
        for byte in piece {
            if byte == 10 {
                if !afterReturn { out.append(13) }
                out.append(10)
                afterReturn = false
                continue
            }
            if afterReturn { out.append(10) }
            afterReturn = byte == 13
            out.append(byte)
        }
    }

    func finished() -> [UInt8] {
        if afterReturn { return out + [10] }
        return out.isEmpty || out.last == 10 ? out : out + [13, 10]
    }
}

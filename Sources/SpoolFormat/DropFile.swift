// What `sendmail` leaves for queued: envelope lines with the message's size, an empty line, the message in wire form.

import MailModel

/// A local submission (docs/spool.md, "Drops").
package struct DropFile: Hashable, Sendable {
    /// The names of finished drops begin so; a file that is still written has another name.
    package static let prefix = Array("drop-".utf8)
    /// The names of those that are still written.
    package static let unfinishedPrefix = Array("new-".utf8)
    package static let maximumHead = 1 << 20
    package static let maximumRecipients = 1000
    private static let first = Array("martlet-drop 1".utf8)

    /// The reverse path that the caller asked for; empty for the null path; nil if it asked for none.
    package var sender: [UInt8]?
    package var recipients: [[UInt8]]
    package var content: [UInt8]

    package init(sender: [UInt8]?, recipients: [[UInt8]], content: [UInt8]) {
        self.sender = sender
        self.recipients = recipients
        self.content = content
    }

    package var bytes: [UInt8] { head(size: content.count) + content }

    /// What stands above a content of so many bytes, for one that is not in memory as a whole.
    package func head(size: Int) -> [UInt8] {
        var out = DropFile.first + [0x0A]
        if let sender { out += DropFile.line("from=", sender) }
        for recipient in recipients { out += DropFile.line("to=", recipient) }
        return out + Array("size=\(size)\n\n".utf8)
    }

    private static func line(_ key: String, _ value: [UInt8]) -> [UInt8] {
        var out = Array(key.utf8)
        Escaping.append(value, to: &out)
        return out + [0x0A]
    }

    /// Nil unless the whole file is there and every address is one.
    package init?(parsing bytes: [UInt8]) {
        self.init(sender: nil, recipients: [], content: [])
        var rest = bytes[...]
        guard DropFile.takeLine(&rest)?.elementsEqual(DropFile.first) == true else { return nil }
        var size: Int?
        while let line = DropFile.takeLine(&rest) {
            if line.isEmpty {
                guard let size, size == rest.count, !recipients.isEmpty, recipients.count <= DropFile.maximumRecipients else { return nil }
                content = Array(rest)
                return
            }
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")), let value = Escaping.value(line[(equals + 1)...]) else { return nil }
            switch String(decoding: line[..<equals], as: UTF8.self) {
            case "from":
                guard value.isEmpty || EmailAddress(parsing: value) != nil else { return nil }
                sender = value
            case "to":
                guard EmailAddress(parsing: value) != nil else { return nil }
                recipients.append(value)
            case "size": size = value.decimalValue
            default: return nil
            }
        }
        return nil
    }

    private static func takeLine(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = rest.prefix(maximumHead).firstIndex(of: 0x0A) else { return nil }
        let line = rest[rest.startIndex..<end]
        rest = rest[(end + 1)...]
        return line
    }
}

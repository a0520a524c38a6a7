// A message that was taken out of a queue: envelope lines with the message's size, an empty line, the message in wire form.
// Several may stand one after the other in one file. docs/operations.md ("The queue") says the format.

import Kernel
import MailModel
import SpoolFormat

/// The head of an exported message, and where in its file the content lies.
struct ExportFile: Hashable {
    private static let first = Array("martlet-export 1".utf8)
    static let maximumHead = 1 << 20

    /// The id that it had, so that who imports it twice can be told.
    let id: QueueID
    var sender: [UInt8]
    var recipients: [[UInt8]]
    /// Bytes.
    var size: Int
    /// Where the content begins.
    private(set) var offset: Int64 = 0

    init(id: QueueID, sender: [UInt8], recipients: [[UInt8]], size: Int) {
        self.id = id
        self.sender = sender
        self.recipients = recipients
        self.size = size
    }

    /// What stands above the content.
    var head: [UInt8] {
        var out = ExportFile.first + [0x0A] + Array("id=".utf8) + id.text + Array("\nfrom=".utf8)
        Escaping.append(sender, to: &out)
        for recipient in recipients {
            out += Array("\nto=".utf8)
            Escaping.append(recipient, to: &out)
        }
        return out + Array("\nsize=\(size)\n\n".utf8)
    }

    /// The head that begins at `start`; nil if it is none, or not whole.
    init?(in file: borrowing Descriptor, at start: Int64) throws(KernelError) {
        let bytes = try file.read(ExportFile.maximumHead, at: start)
        guard let end = bytes.indices.first(where: { $0 > 0 && bytes[$0] == 0x0A && bytes[$0 - 1] == 0x0A }) else { return nil }
        self.init(lines: bytes[..<(end - 1)].split(separator: 0x0A))
        offset = start + Int64(end) + 1
    }

    init?(lines: [ArraySlice<UInt8>]) {
        guard lines.first?.elementsEqual(ExportFile.first) == true else { return nil }
        var id: QueueID?, sender: [UInt8]?, recipients: [[UInt8]] = [], size: Int?
        for line in lines.dropFirst() {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")), let value = Escaping.value(line[(equals + 1)...]) else { return nil }
            switch String(decoding: line[..<equals], as: UTF8.self) {
            case "id": id = QueueID(parsing: value)
            case "from": sender = value.isEmpty || EmailAddress(parsing: value) != nil ? value : nil
            case "to":
                guard EmailAddress(parsing: value) != nil else { return nil }
                recipients.append(value)
            case "size": size = value.decimalValue
            default: return nil
            }
        }
        guard let id, let sender, !recipients.isEmpty, let size else { return nil }
        self.init(id: id, sender: sender, recipients: recipients, size: size)
    }
}

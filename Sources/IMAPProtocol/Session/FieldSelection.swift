// HEADER.FIELDS and HEADER.FIELDS.NOT (RFC 3501 §6.4.5): a part of a header, its fields as they stand in the message.

internal import MailFormat
internal import MailModel

/// Which fields of a header are wanted.
struct FieldSelection: Sendable {
    let names: Set<[UInt8]>
    let isExcluding: Bool

    init(_ names: [[UInt8]], isExcluding: Bool) {
        self.names = Set(names.map(\.asciiLowercased))
        self.isExcluding = isExcluding
    }

    /// The fields, folds and all, and the blank line, which is always part of the answer.
    func fields(of header: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        for field in HeaderSection(of: header).fields
        where names.contains(header[field.name].asciiLowercased) != isExcluding {
            out += header[field.whole]
            if out.last != 0x0A { out += [0x0D, 0x0A] }
        }
        return out + [0x0D, 0x0A]
    }
}

extension SectionSpecifier {
    var fieldSelection: FieldSelection? {
        switch text {
        case .headerFields(let names): FieldSelection(names, isExcluding: false)
        case .headerFieldsNot(let names): FieldSelection(names, isExcluding: true)
        case .all, .header, .text, .mime: nil
        }
    }
}

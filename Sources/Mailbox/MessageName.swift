// The name of a message's file: what it says is read, what it does not understand stays byte for byte.
//
//     1763683200.s000004q3v9h2m5k00007R3v9h2m5k0abc.mx1,S=10240,W=10240,M=17.1700000000:2,FS

import MailModel

/// A Maildir file name: unique part, comma fields, and the flags behind `:2,`.
package struct MessageName: Hashable, Sendable {
    /// The whole name.
    package let bytes: [UInt8]
    private let uniqueEnd: Int
    private let baseEnd: Int

    package static let maximumLength = 255

    /// Takes any name that can be a message's; nil for an empty one, a hidden one and one with a slash or NUL.
    package init?(parsing name: some Collection<UInt8>) {
        let bytes = Array(name)
        guard let first = bytes.first, first != UInt8(ascii: "."), bytes.count <= MessageName.maximumLength,
            !bytes.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 })
        else { return nil }
        self.init(unchecked: bytes)
    }

    private init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
        baseEnd = bytes.lastIndex(of: UInt8(ascii: ":")) ?? bytes.count
        let comma = bytes[..<baseEnd].firstIndex(of: UInt8(ascii: ",")) ?? baseEnd
        uniqueEnd = comma == 0 ? baseEnd : comma
    }

    /// Up to the first comma: never changes, and is the POP3 UIDL.
    package var unique: ArraySlice<UInt8> { bytes[..<uniqueEnd] }
    /// All but the flags.
    package var base: ArraySlice<UInt8> { bytes[..<baseEnd] }

    /// The letters behind `:2,`; empty for other or no information.
    private var letters: ArraySlice<UInt8> {
        let info = bytes[baseEnd...]
        return info.starts(with: ":2,".utf8) ? info.dropFirst(3) : []
    }

    package var flags: MessageFlags { MessageFlags(letters: letters) }

    /// The values of a field `name=value` between the unique part and the flags, in order.
    private func values(of field: UInt8) -> [ArraySlice<UInt8>] {
        guard uniqueEnd < baseEnd else { return [] }
        return bytes[(uniqueEnd + 1)..<baseEnd].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .filter { $0.count >= 2 && $0.first == field && $0[$0.startIndex + 1] == UInt8(ascii: "=") }
            .map { $0.dropFirst(2) }
    }

    private func number(of field: UInt8) -> Int? {
        let found = values(of: field)
        guard found.count == 1, let value = canonicalDecimal(found[0], limit: UInt64(Int64.max)) else { return nil }
        return Int(exactly: value)
    }

    /// `S=`: bytes in the file, if the name says it.
    package var fileSize: Int? { number(of: UInt8(ascii: "S")) }
    /// `W=`: bytes with CRLF line ends, if the name says it.
    package var wireSize: Int? { number(of: UInt8(ascii: "W")) }

    /// The flags replaced; letters that are not ours stay where the alphabet puts them.
    package func with(flags: MessageFlags) -> MessageName {
        let foreign = letters.filter { MessageFlags(letter: $0) == nil }
        let all = (flags.letters + foreign).sorted()
        return MessageName(unchecked: Array(base) + Array(":2,".utf8) + all)
    }

    /// The name without some fields, and with others at the end of the base.
    private func replacing(fields: [UInt8], by new: [UInt8]) -> MessageName {
        var out = Array(unique)
        if uniqueEnd < baseEnd {
            for part in bytes[(uniqueEnd + 1)..<baseEnd].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
                let isField = part.count >= 2 && part[part.startIndex + 1] == UInt8(ascii: "=")
                if isField, fields.contains(part[part.startIndex]) { continue }
                out.append(UInt8(ascii: ","))
                out += part
            }
        }
        return MessageName(unchecked: out + new + bytes[baseEnd...])
    }
}

extension MessageName: CustomStringConvertible {
    package var description: String { bytes.display }
}

// MARK: The tags of our own: `M=` for the UID, `X=` for an expunged message.

extension MessageName {
    /// `M=<uid>.<UIDVALIDITY>`: which message of which folder this is. mbsync's `U=` says less and is not touched.
    package struct Tag: Hashable, Sendable {
        package let uid: MessageUID
        package let validity: UIDValidity
        package init(uid: MessageUID, validity: UIDValidity) {
            self.uid = uid
            self.validity = validity
        }
    }

    /// The UID in the folder of this UIDVALIDITY. A tag of another folder, a malformed one and two tags count as none.
    package func uid(in validity: UIDValidity) -> MessageUID? {
        guard let tag, tag.validity == validity else { return nil }
        return tag.uid
    }

    package var tag: Tag? {
        let found = values(of: UInt8(ascii: "M"))
        guard found.count == 1, let pair = MessageName.pair(found[0]), let uid = UInt32(exactly: pair.0),
            let validity = UInt32(exactly: pair.1), uid > 0, validity > 0
        else { return nil }
        return Tag(uid: MessageUID(uid), validity: UIDValidity(validity))
    }

    /// The tag set, every other tag of ours removed; nil if the name would be too long for a file.
    package func with(tag: Tag?) -> MessageName? {
        let new = tag.map { Array(",M=".utf8) + decimal($0.uid.rawValue) + [0x2E] + decimal($0.validity.rawValue) } ?? []
        let name = replacing(fields: [UInt8(ascii: "M"), UInt8(ascii: "X")], by: new)
        return name.bytes.count <= MessageName.maximumLength ? name : nil
    }

    /// `X=<seconds>.<modseq>`: when a hidden message was expunged.
    package struct Expunged: Hashable, Sendable {
        package let seconds: Int64
        package let modSequence: ModSequence
        package init(seconds: Int64, modSequence: ModSequence) {
            self.seconds = seconds
            self.modSequence = modSequence
        }
    }

    package var expunged: Expunged? {
        let found = values(of: UInt8(ascii: "X"))
        guard found.count == 1, let pair = MessageName.pair(found[0]), let seconds = Int64(exactly: pair.0) else { return nil }
        return Expunged(seconds: seconds, modSequence: ModSequence(pair.1))
    }

    /// The name in the hidden folder; nil if it would be too long.
    package func with(expunged: Expunged) -> MessageName? {
        let new = Array(",X=".utf8) + decimal(max(0, expunged.seconds)) + [0x2E] + decimal(expunged.modSequence.rawValue)
        let name = replacing(fields: [UInt8(ascii: "X")], by: new)
        return name.bytes.count <= MessageName.maximumLength ? name : nil
    }

    private static func pair(_ text: ArraySlice<UInt8>) -> (UInt64, UInt64)? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, let a = canonicalDecimal(parts[0], limit: UInt64(Int64.max)),
            let b = canonicalDecimal(parts[1], limit: UInt64(Int64.max))
        else { return nil }
        return (a, b)
    }
}

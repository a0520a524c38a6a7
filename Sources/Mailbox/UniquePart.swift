// The part of a name that never changes: made so that a retry makes the same one and two messages never share one.
//
//     <seconds>.<queue id>R<hash of the final address>.<host>     a delivered message (an archive's: and of its recipient)
//     <seconds>.A<18 random letters>.<host>                       an appended or copied one

package import MailModel

/// Unique parts of our making. At most 70 printable bytes, as a UIDL must be (RFC 1939 §7).
package struct UniquePart: Hashable, Sendable {
    package let bytes: [UInt8]

    package static let maximumLength = 70
    private static let hashLength = 12
    private static let randomLength = 18

    /// A delivery: `seconds` is when the message was accepted, so that each attempt gives the same name.
    ///
    /// `archive`: the recipient of a copy that only keeps the message. Somebody whom it names may have the same mailbox, and has his own copy.
    package init(seconds: Int64, message: QueueID, finalAddress: EmailAddress, archive: [UInt8]? = nil, host: [UInt8]) {
        let copy = finalAddress.canonical + (archive.map { [UInt8(ascii: "<")] + $0 } ?? [])
        let hash = Base32.digits(Fingerprint.mixed(copy), count: UniquePart.hashLength)
        self.init(seconds: seconds, middle: message.text + [UInt8(ascii: "R")] + hash, host: host)
    }

    /// An append or copy: `random` holds 12 bytes that nobody can guess.
    package init(seconds: Int64, random: [UInt8], host: [UInt8]) {
        let high = random.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let low = random.dropFirst(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let letters = Base32.digits(high, count: 13) + Base32.digits(low, count: UniquePart.randomLength - 13)
        self.init(seconds: seconds, middle: [UInt8(ascii: "A")] + letters, host: host)
    }

    private init(seconds: Int64, middle: [UInt8], host: [UInt8]) {
        let seconds = decimal(min(max(0, seconds), 99_999_999_999))
        let head = seconds + [0x2E] + middle + [0x2E]
        bytes = head + UniquePart.safe(host).prefix(UniquePart.maximumLength - head.count)
    }

    /// The complete name; `isWireForm`: the message is sent as it lies in its file.
    package func name(size: Int, isWireForm: Bool = true) -> MessageName? {
        let size = decimal(max(0, size))
        return MessageName(parsing: bytes + Array(",S=".utf8) + size + (isWireForm ? Array(",W=".utf8) + size : []))
    }

    /// A host name as it may stand in a file name: what is neither letter, digit, `-`, `_` nor `.` becomes `_`.
    private static func safe(_ host: [UInt8]) -> [UInt8] {
        let out = host.map { $0.isASCIILetter || $0.isASCIIDigit || [0x2D, 0x2E, 0x5F].contains($0) ? $0 : 0x5F }
        return out.isEmpty ? [0x78] : out
    }
}

extension MessageName {
    /// When the message arrived, if the name is one that we made; other software's say it only by the file's time.
    package var arrivalSeconds: Int64? {
        let parts = unique.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let seconds = canonicalDecimal(parts[0], limit: 99_999_999_999), let kind = parts[1].first
        else { return nil }
        let ours =
            kind == UInt8(ascii: "A")
            ? parts[1].count == 19 && parts[1].dropFirst().allSatisfy { $0.isASCIIDigit || $0.isASCIILetter }
            : queueID != nil
        return ours ? Int64(seconds) : nil
    }

    /// The message that this file is a copy of, if it was delivered here.
    package var queueID: QueueID? {
        let parts = unique.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].count == QueueID.textLength + 13,
            parts[1][parts[1].startIndex + QueueID.textLength] == UInt8(ascii: "R")
        else { return nil }
        return QueueID(parsing: parts[1].prefix(QueueID.textLength))
    }

    /// The POP3 unique-id: the unique part, or a fingerprint of it where RFC 1939 §7 does not allow its bytes.
    package var uidl: [UInt8] {
        let plain = unique.count <= UniquePart.maximumLength && unique.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        return plain ? Array(unique) : [UInt8(ascii: "%")] + Fingerprint.hexadecimal(unique)
    }
}

/// FNV-1a: short names for long things. No protection against a forger, and none is needed: a name is only looked up in
/// the account that owns it, among messages of one queue id.
enum Fingerprint {
    static func mixed(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        // A last mix, because only the low bits are printed.
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ (hash >> 33)
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        let prime: UInt128 = (1 << 88) + 0x13B
        for byte in bytes { hash = (hash ^ UInt128(byte)) &* prime }
        let digits = Array("0123456789abcdef".utf8)
        return stride(from: 124, through: 0, by: -4).map { digits[Int(truncatingIfNeeded: hash >> UInt128($0)) & 15] }
    }
}

// The name of a message, given once: by the program that took responsibility for it, never reused, never recomputed.

/// Which log an id comes from. The raw value is the id's first letter.
package enum QueueOrigin: UInt8, Sendable, Hashable, CaseIterable {
    case smtpd = 0x73  // s
    case submission = 0x75  // u
    case queued = 0x71  // q
}

/// The identity of a message: 19 letters and digits, such as `s000004q3v9h2m5k00007`.
///
/// `origin` + 64-bit epoch (13 base-32 digits) + sequence (5 digits). A segment's epoch begins with its number
/// and ends with random bits, so ids of one program sort by age, and a wiped or copied spool repeats none.
/// A child message (bounce, adopted drop) puts a hash of its parent, kind and recipients in both places instead:
/// made twice after a crash, it has the same name.
package struct QueueID: Hashable, Sendable {
    package let origin: QueueOrigin
    package let epoch: UInt64
    /// 0 ..< 2^25
    package let sequence: UInt32

    package static let maximumSequence: UInt32 = (1 << 25) - 1
    package static let textLength = 19

    package init(origin: QueueOrigin, epoch: UInt64, sequence: UInt32) {
        self.origin = origin
        self.epoch = epoch
        self.sequence = sequence & QueueID.maximumSequence
    }

    /// The id of a child: `digest` is a cryptographic hash of what the child is, at least 12 bytes of it.
    package init(origin: QueueOrigin, digest: some Collection<UInt8>) {
        var high: UInt64 = 0
        var low: UInt32 = 0
        for byte in digest.prefix(8) { high = high << 8 | UInt64(byte) }
        for byte in digest.dropFirst(8).prefix(4) { low = low << 8 | UInt32(byte) }
        self.init(origin: origin, epoch: high, sequence: low)
    }

    package init?(parsing text: some Collection<UInt8>) { self.init(parsing: Array(text)[...]) }

    package init?(parsing text: ArraySlice<UInt8>) {
        guard text.count == QueueID.textLength, let first = text.first, let origin = QueueOrigin(rawValue: first),
            let epoch = Base32.value(text.dropFirst().prefix(13)), let sequence = Base32.value(text.dropFirst(14))
        else { return nil }
        self.init(origin: origin, epoch: epoch, sequence: UInt32(truncatingIfNeeded: sequence))
    }

    package var text: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(QueueID.textLength)
        out.append(origin.rawValue)
        Base32.append(epoch, count: 13, to: &out)
        Base32.append(UInt64(sequence), count: 5, to: &out)
        return out
    }
}

extension QueueID: CustomStringConvertible, Comparable {
    package var description: String { text.display }
    package static func < (a: QueueID, b: QueueID) -> Bool {
        (a.origin.rawValue, a.epoch, a.sequence) < (b.origin.rawValue, b.epoch, b.sequence)
    }
}

/// Crockford's base 32 in lower case: sorts as numbers sort, and has no letter that reads as a digit.
package enum Base32 {
    private static let alphabet: [UInt8] = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, digit) in alphabet.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    /// The last `count` digits of `value`, most significant first.
    package static func digits(_ value: UInt64, count: Int) -> [UInt8] {
        var out: [UInt8] = []
        append(value, count: count, to: &out)
        return out
    }

    static func append(_ value: UInt64, count: Int, to out: inout [UInt8]) {
        for place in stride(from: count - 1, through: 0, by: -1) {
            let shift = place * 5
            out.append(alphabet[shift < 64 ? Int(value >> UInt64(shift) & 31) : 0])
        }
    }

    /// The number that `digits` printed; nil for other bytes or more than 64 bits.
    package static func value(_ digits: some Collection<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            let next = values[Int(digit)]
            guard next != 0xFF, value >> 59 == 0 else { return nil }
            value = value << 5 | UInt64(next)
        }
        return value
    }
}

// A record being written: `verb id key=value … #crc`, one line that `less` reads and that no value can break.

package import MailModel

/// Continues a CRC-32C over bytes; given by the layer below, so that this one stays pure.
package struct Checksum: Sendable {
    package let update: @Sendable (UnsafeRawBufferPointer, UInt32) -> UInt32
    package init(_ update: @escaping @Sendable (UnsafeRawBufferPointer, UInt32) -> UInt32) { self.update = update }

    package func of(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 { bytes.withUnsafeBytes { update($0, seed) } }
    package func of(_ bytes: ArraySlice<UInt8>, seed: UInt32 = 0) -> UInt32 { bytes.withUnsafeBytes { update($0, seed) } }
}

/// A record line without its checksum, which the log adds because it depends on the segment.
package struct RecordLine: Hashable, Sendable {
    package let verb: Verb
    package let id: QueueID?
    package private(set) var bytes: [UInt8]

    package init(_ verb: Verb, _ id: QueueID? = nil) {
        self.verb = verb
        self.id = id
        bytes = Array(verb.rawValue.utf8)
        bytes.append(0x20)
        if let id { bytes.append(contentsOf: id.text) } else { bytes.append(UInt8(ascii: "-")) }
    }

    package mutating func add(_ key: Key, _ value: some Collection<UInt8>) {
        bytes.append(0x20)
        bytes.append(contentsOf: key.rawValue.utf8)
        bytes.append(UInt8(ascii: "="))
        Escaping.append(value, to: &bytes)
    }

    package mutating func add(_ key: Key, _ value: String) { add(key, Array(value.utf8)) }
    package mutating func add(_ key: Key, _ value: some BinaryInteger) { add(key, Array(String(value).utf8)) }
    package mutating func add(_ key: Key, _ value: (some Collection<UInt8>)?) { if let value { add(key, value) } }
    package mutating func add(_ key: Key, _ value: QueueID) { add(key, value.text) }

    /// Fluent form of `add`.
    package func adding(_ key: Key, _ value: some Collection<UInt8>) -> RecordLine {
        var copy = self
        copy.add(key, value)
        return copy
    }

    package func adding(_ key: Key, _ value: String) -> RecordLine { adding(key, Array(value.utf8)) }
    package func adding(_ key: Key, _ value: some BinaryInteger) -> RecordLine { adding(key, Array(String(value).utf8)) }

    /// The line as it stands in a segment of this epoch: checksum and line feed added.
    package func sealed(seed: UInt32, checksum: Checksum) -> [UInt8] {
        var line = bytes
        line.reserveCapacity(line.count + 11)
        let crc = checksum.of(bytes, seed: seed)
        line.append(0x20)
        line.append(UInt8(ascii: "#"))
        Hex.append(UInt64(crc), digits: 8, to: &line)
        line.append(0x0A)
        return line
    }
}

/// Escaping of values: bytes up to space, DEL, `%`, and whatever is not UTF-8, become `%XX`.
package enum Escaping {
    package static func append(_ value: some Collection<UInt8>, to line: inout [UInt8]) {
        let plain = value.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "%") }
        if plain {
            line.append(contentsOf: value)
            return
        }
        let text = isUTF8(value)
        for byte in value {
            if byte > 0x20, byte != 0x7F, byte != UInt8(ascii: "%"), byte < 0x80 || text {
                line.append(byte)
            } else {
                line.append(UInt8(ascii: "%"))
                Hex.append(UInt64(byte), digits: 2, to: &line)
            }
        }
    }

    /// The value that was escaped, or nil if this is no escaped value.
    package static func value(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.contains(UInt8(ascii: "%")) else { return Array(text) }
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] != UInt8(ascii: "%") {
                out.append(text[index])
                index += 1
                continue
            }
            guard index + 2 < text.endIndex, let high = text[index + 1].hexValue, let low = text[index + 2].hexValue
            else { return nil }
            out.append(high << 4 | low)
            index += 3
        }
        return out
    }
}

/// Hexadecimal numbers of a fixed width, lower case.
package enum Hex {
    private static let alphabet: [UInt8] = Array("0123456789abcdef".utf8)

    package static func append(_ value: UInt64, digits: Int, to out: inout [UInt8]) {
        for shift in stride(from: (digits - 1) * 4, through: 0, by: -4) { out.append(alphabet[Int(value >> UInt64(shift) & 15)]) }
    }

    package static func text(_ value: UInt64, digits: Int) -> [UInt8] {
        var out: [UInt8] = []
        append(value, digits: digits, to: &out)
        return out
    }

    package static func value(_ text: some Collection<UInt8>) -> UInt64? {
        guard !text.isEmpty, text.count <= 16 else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard let digit = byte.hexValue else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}

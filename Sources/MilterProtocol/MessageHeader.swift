// A header section as its lines: what nobody changes leaves as it came, to the octet, or signatures break.

private import MailModel

/// The fields of a message's header, for milters to read and change (RFC 5322 §2.2).
struct MessageHeader: Sendable {
    /// A field, or a line that is none: that one is kept, and neither shown nor counted.
    struct Line: Sendable {
        var raw: ArraySlice<UInt8>
        /// Empty where the line is no field.
        var name: ArraySlice<UInt8> = []
        var value: ArraySlice<UInt8> = []
        /// Deleted fields still count, until the next milter is asked: as sendmail counts.
        var isDeleted = false

        var isField: Bool { !name.isEmpty }
        var isShown: Bool { isField && !isDeleted }
    }

    private(set) var lines: [Line] = []
    /// What stands behind the last line that is kept apart: none of it is shown.
    private var tail: ArraySlice<UInt8> = []
    /// The empty line; nothing where the message is a header alone.
    private(set) var end: ArraySlice<UInt8> = []

    private static let lineLimit = 10_000

    /// `bytes`: up to and with the empty line; CRLF or LF end lines.
    init(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            let stop = rest.firstIndex(of: 10).map { $0 + 1 } ?? rest.endIndex
            let line = rest[..<stop]
            if lines.count == MessageHeader.lineLimit, line.first != 0x20, line.first != 0x09 {
                keepTail(rest)
                return
            }
            rest = rest[stop...]
            if line.elementsEqual([13, 10]) || line.elementsEqual([10]) {
                end = line
                return
            }
            take(line, of: bytes)
        }
    }

    private mutating func keepTail(_ rest: ArraySlice<UInt8>) {
        let text = MessageHeader.chomped(rest)
        let hasEnd = text.isEmpty || (rest.last == 10 && text.last == 10)
        end = hasEnd ? rest[text.endIndex...] : []
        tail = hasEnd ? text : rest
    }

    private mutating func take(_ line: ArraySlice<UInt8>, of all: ArraySlice<UInt8>) {
        let isContinuation = line.first == 0x20 || line.first == 0x09
        if isContinuation, let last = lines.last, last.isField {
            let whole = all[last.raw.startIndex..<line.endIndex]
            lines[lines.count - 1].raw = whole
            lines[lines.count - 1].value = MessageHeader.chomped(whole[last.value.startIndex...])
            return
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return lines.append(Line(raw: line)) }
        var name = line[..<colon]
        // Blanks before the colon are obsolete and met (RFC 5322 §4.5).
        while let last = name.last, last == 0x20 || last == 0x09 { name = name.dropLast() }
        guard MilterField.isName(name) else { return lines.append(Line(raw: line)) }
        lines.append(Line(raw: line, name: name, value: MessageHeader.chomped(line[(colon + 1)...])))
    }

    private static func chomped(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.last == 10 else { return text }
        let text = text.dropLast()
        return text.last == 13 ? text.dropLast() : text
    }

    /// The fields as a milter is to see them.
    var fields: [MilterField] {
        lines.filter(\.isShown).map { MilterField(name: $0.name, value: $0.value) }
    }

    var bytes: [UInt8] {
        var out: [UInt8] = []
        for line in lines where !line.isDeleted { out += line.raw }
        return out + tail + end
    }

    // MARK: - Changes

    mutating func add(_ field: MilterField) {
        // A last line without an end (a message that is a header alone) would swallow what follows it.
        if let last = lines.last, last.raw.last != 10 { lines[lines.count - 1].raw += [13, 10] }
        lines.append(MessageHeader.line(field))
    }

    /// Before the field of that number, from 0; beyond the last, at the end.
    mutating func insert(_ field: MilterField, at index: Int) {
        var seen = 0
        for place in lines.indices where lines[place].isField {
            if seen == index { return lines.insert(MessageHeader.line(field), at: place) }
            seen += 1
        }
        add(field)
    }

    /// The `index`th field of that name, from 1, deleted ones counted; index 0 is taken for 1.
    private func place(_ name: [UInt8], _ index: Int) -> Int? {
        var seen = 0
        for place in lines.indices where lines[place].name.equalsIgnoringASCIICase(name) {
            seen += 1
            if seen >= index { return place }
        }
        return nil
    }

    mutating func change(_ field: MilterField, index: Int) {
        guard let place = place(field.name, index) else { return add(field) }
        lines[place] = MessageHeader.line(field)
    }

    mutating func delete(_ name: [UInt8], index: Int) {
        if let place = place(name, index) { lines[place].isDeleted = true }
    }

    /// The next milter counts what it is shown.
    mutating func forgetDeleted() { lines.removeAll(where: \.isDeleted) }

    /// An end, where there was none: a body is to follow.
    mutating func closeSection() {
        if end.isEmpty { end = [13, 10] }
    }

    private static func line(_ field: MilterField) -> Line {
        Line(raw: field.line[...], name: field.name[...], value: field.value[...])
    }
}

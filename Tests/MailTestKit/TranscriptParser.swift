// Reads transcript files; a line that it does not know is an error, never a comment.

private import Glibc

extension Transcript {
    /// All `*.txt` of `Tests/Transcripts/<folder>`, by name; found from the caller's own place in the tree.
    package static func all(in folder: String, from file: String = #filePath) throws -> [Transcript] {
        guard let tests = file.range(of: "/Tests/") else {
            throw TranscriptFailure(folder, line: 0, "no Tests/ above \(file)")
        }
        let path = file[..<tests.upperBound] + "Transcripts/" + folder
        return try textFiles(in: String(path)).map { name in
            try Transcript(name: String(name.dropLast(4)), text: contents(of: path + "/" + name))
        }
    }

    package init(name: String, text: String) throws {
        var settings: [Setting] = []
        var steps: [Step] = []
        var expectations: [Expectation] = []
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let fail = { TranscriptFailure(name, line: index + 1, $0) }
            let line = String(raw)
            if line.allSatisfy(\.isWhitespace) || line.hasPrefix("#") { continue }
            if let rest = line.after("with:") {
                let words = rest.split(separator: " ").map(String.init)
                guard let key = words.first, steps.isEmpty else {
                    throw fail("with: needs a word and stands at the top")
                }
                settings.append(Setting(key: key, words: Array(words.dropFirst())))
            } else if let rest = line.after("then:") {
                let key = rest.prefix { $0 != " " }
                let words = rest.dropFirst(key.count).drop { $0 == " " }
                expectations.append(Expectation(key: String(key), rest: String(words), line: index + 1))
            } else {
                guard expectations.isEmpty else { throw fail("a step after then:") }
                guard let step = try Step(line, number: index + 1, fail) else { throw fail("not understood: \(line)") }
                steps.append(step)
            }
        }
        guard !steps.isEmpty else { throw TranscriptFailure(name, line: 1, "no steps") }
        self.init(name: name, settings: settings, steps: steps, expectations: expectations)
    }
}

extension Transcript.Step {
    fileprivate init?(_ line: String, number: Int, _ fail: (String) -> TranscriptFailure) throws {
        self.line = number
        let digits = line.prefix { $0.isASCII && $0.isNumber }
        connection = Int(digits) ?? 1
        let text = String(line.dropFirst(digits.count))
        if let event = Transcript.Event(rawValue: text.trimmed) {
            action = .event(event)
        } else if let rest = text.after("C:") {
            action = .send(Array(rest.utf8) + [13, 10])
        } else if let rest = text.after("C!") {
            guard let bytes = Transcript.unescape(rest) else { throw fail("bad escape") }
            action = .send(bytes)
        } else if let rest = text.after("S~") {
            action = .expect(.glob(Array(rest.utf8)))
        } else if let rest = text.after("S:") {
            action = .expect(rest.hasSuffix("…") ? .prefix(Array(rest.dropLast().utf8)) : .exact(Array(rest.utf8)))
        } else {
            return nil
        }
    }
}

extension Transcript {
    /// Bytes of a text with `\r \n \t \0 \\ \xHH`; `{N}` after an escape repeats it. nil for another escape.
    package static func unescape(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                continue
            }
            guard let value = escaped(&rest), let count = repetition(&rest) else { return nil }
            out.append(contentsOf: repeatElement(value, count: count))
        }
        return out
    }

    private static func escaped(_ rest: inout ArraySlice<UInt8>) -> UInt8? {
        switch rest.popFirst() {
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "0"): return 0
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "x"):
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            rest = rest.dropFirst(2)
            return digits.utf8.count == 2 ? UInt8(digits, radix: 16) : nil
        default: return nil
        }
    }

    /// `{2000}`; 1 without braces. At most 16 MiB, so that a slip of the pen stays harmless.
    private static func repetition(_ rest: inout ArraySlice<UInt8>) -> Int? {
        guard rest.first == UInt8(ascii: "{") else { return 1 }
        guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
        let count = Int(String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self))
        rest = rest[(end + 1)...]
        return count.flatMap { (0...(16 << 20)).contains($0) ? $0 : nil }
    }
}

extension String {
    /// What follows `prefix` and one optional space; nil without the prefix.
    fileprivate func after(_ prefix: String) -> String? {
        guard hasPrefix(prefix) else { return nil }
        let rest = dropFirst(prefix.count)
        return String(rest.first == " " ? rest.dropFirst() : rest)
    }

    fileprivate var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }

    func range(of needle: String) -> Range<String.Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(needle) { return at..<index(at, offsetBy: needle.count) }
            at = index(after: at)
        }
        return nil
    }
}

private func textFiles(in path: String) throws -> [String] {
    guard let folder = opendir(path) else { throw TranscriptFailure(path, line: 0, "cannot open the folder") }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name.hasSuffix(".txt") { names.append(name) }
    }
    return names.sorted()
}

private func contents(of path: some StringProtocol) throws -> String {
    guard let file = fopen(String(path), "r") else { throw TranscriptFailure(String(path), line: 0, "cannot open") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
}

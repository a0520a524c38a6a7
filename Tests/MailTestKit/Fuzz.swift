// Mutation fuzzing without a tool of its own: inputs from Tests/FuzzCorpus, a seeded generator, ordinary tests.

private import Glibc

/// One fuzzed parser: each file of `Tests/FuzzCorpus/<name>` is an input, the bytes as they are.
///
/// `MARTLET_FUZZ_ROUNDS` is how many mutations are tried (`make fuzz` tries many); with `MARTLET_FUZZ_LAST`, a folder, the input at hand is
/// in the file of this name there while it is tried, so that one which ends the process can be found. A find becomes a file of the corpus.
package struct Fuzz {
    package let name: String
    package let corpus: [(file: String, input: [UInt8])]
    /// What mutations put in besides single bytes: the words of the grammar.
    private let words: [[UInt8]]

    package init(_ name: String, words: [String], from file: String = #filePath) throws {
        self.name = name
        self.words = words.map { Array($0.utf8) }
        guard let tests = file.range(of: "/Tests/") else { throw TranscriptFailure(name, line: 0, "no Tests/ above \(file)") }
        let folder = String(file[..<tests.upperBound]) + "FuzzCorpus/" + name
        corpus = Fuzz.names(in: folder).map { (name + "/" + $0, Fuzz.content(of: folder + "/" + $0)) }
        if corpus.isEmpty { throw TranscriptFailure(name, line: 0, "no corpus in \(folder)") }
    }

    /// nil if `check` has nothing against any input; else the first with which it has, in a form that can be pasted, and what.
    package func failure(rounds usual: Int = 3000, test: String = #function, check: ([UInt8]) throws -> String?) rethrows -> String? {
        for (file, input) in corpus {
            if let reason = try tried(input, check) { return "\(file): \(reason)" }
        }
        var generator = SeededGenerator(for: test)
        for _ in 0..<(Fuzz.number("MARTLET_FUZZ_ROUNDS") ?? usual) {
            let input = mutated(&generator)
            if let reason = try tried(input, check) { return "seed \(generator.seed), input \(input): \(reason)" }
        }
        return nil
    }

    private func tried(_ input: [UInt8], _ check: ([UInt8]) throws -> String?) rethrows -> String? {
        if let folder = getenv("MARTLET_FUZZ_LAST") {
            let file = open(String(cString: folder) + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            _ = write(file, input, input.count)
            close(file)
        }
        return try check(input)
    }

    /// An input of the corpus after one to eight changes; at most 20,000 bytes.
    private func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var input = corpus.randomElement(using: &generator)?.input ?? []
        for _ in 0...Int.random(in: 0..<8, using: &generator) { change(&input, &generator) }
        return Array(input.prefix(20_000))
    }

    private func change(_ input: inout [UInt8], _ generator: inout SeededGenerator) {
        let at = Int.random(in: 0...input.count, using: &generator)
        let end = min(input.count, at + Int.random(in: 0...12, using: &generator))
        switch Int.random(in: 0..<8, using: &generator) {
        case 0 where at < input.count: input[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1 where at < input.count: input[at] = [0, 10, 13, 32, 34, 46, 60, 62, 64, 92, 127, 255].randomElement(using: &generator) ?? 0
        case 2: input.insert(UInt8.random(in: 0...255, using: &generator), at: at)
        case 3: input.removeSubrange(at..<end)
        case 4: input.insert(contentsOf: words.randomElement(using: &generator) ?? [], at: at)
        case 5: input.insert(contentsOf: input[at..<end], at: Int.random(in: 0...input.count, using: &generator))
        case 6: input.insert(contentsOf: repeatElement(input.indices.contains(at) ? input[at] : 97, count: 1 << Int.random(in: 0..<12, using: &generator)), at: at)
        default: input.insert(contentsOf: (corpus.randomElement(using: &generator)?.input ?? []).prefix(400), at: at)
        }
    }

    private static func number(_ variable: String) -> Int? { getenv(variable).flatMap { Int(String(cString: $0)) } }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    private static func content(of path: String) -> [UInt8] {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var (content, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65536))
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { return content }
            content += buffer[..<count]
        }
    }
}

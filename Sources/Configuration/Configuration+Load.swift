// From file to checked values. Everything wrong is found in one go; nothing wrong is ever replaced by a default.

package import Kernel
internal import TOMLKit

extension Configuration {
    /// Reads and checks a file; paths come out absolute, from `paths.root`, which is from the file's folder.
    package static func load(path: String) throws(ConfigurationError) -> Configuration {
        var configuration = try parse(String(decoding: contents(of: path), as: UTF8.self), file: path)
        configuration.resolvePaths(from: Path(path).resolved(from: Identity.workingDirectory).parent)
        return configuration
    }

    /// The values that a text gives to keys; paths are still as written.
    package static func parse(_ text: String, file: String) throws(ConfigurationError) -> Configuration {
        if let problem = nulProblem(text, file: file) { throw ConfigurationError(problems: [problem]) }
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch {
            throw ConfigurationError(problems: [syntaxProblem(error, file: file)])
        }
        var reader = ConfigurationReader(file: file, lines: KeyLines(text))
        reader.read(table, prefix: "")
        reader.checkTogether()
        guard reader.problems.isEmpty else {
            throw ConfigurationError(problems: reader.problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
        }
        return reader.configuration
    }

    /// Makes every path absolute; `folder` is where the file lies and must be absolute itself.
    package mutating func resolvePaths(from folder: Path) {
        paths.root = paths.root.resolved(from: folder)
        for place in [\Configuration.paths.spool, \.paths.store, \.paths.cache, \.paths.directory, \.tls.certificate, \.tls.key] {
            self[keyPath: place] = self[keyPath: place].resolved(from: paths.root)
        }
        remote.roots = remote.roots?.resolved(from: paths.root)
    }

    /// No configuration is longer; whoever points us at another file gets an error, not a full memory.
    private static let maximumSize = 1 << 20

    private static func contents(of path: String) throws(ConfigurationError) -> [UInt8] {
        do throws(KernelError) {
            let folder = try DirectoryDescriptor(opening: Path(path).parent)
            return try folder.contents(of: Path(path).lastComponent, limit: maximumSize)
        } catch {
            let remedy = error.isMissing
                ? "make it with `mailctl init`, or name another file"
                : "it must be a file of at most 1 MiB, no link, that this user may read"
            throw ConfigurationError(problems: [
                .init(kind: .unreadable(error), file: path, line: nil, key: nil, what: "\(error)", remedy: remedy)
            ])
        }
    }

    /// The parser hands strings on through C: a NUL, written or escaped, would silently cut the file or a value short.
    private static func nulProblem(_ text: String, file: String) -> ConfigurationProblem? {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where line.utf8.contains(0) || line.contains("\\u0000") || line.contains("\\U00000000") {
            return ConfigurationProblem(
                kind: .syntax, file: file, line: index + 1, key: nil, what: "a NUL character", remedy: "take it out: no value of ours has one")
        }
        return nil
    }

    private static func syntaxProblem(_ error: any Error, file: String) -> ConfigurationProblem {
        let parsing = error as? TOMLParseError
        return ConfigurationProblem(
            kind: .syntax, file: file, line: parsing?.source.begin.line, key: nil, what: parsing?.description ?? "not TOML",
            remedy: "write `key = value` lines below `[table]` lines, texts in quotes (https://toml.io)")
    }
}

// A message against what smtpd asks of every message.

import Configuration
import Kernel
import MailPolicy

struct MessageMeasure {
    /// Bytes, with CRLF at the end of each line.
    let size: Int
    let mostSize: Int
    /// `Received:` fields.
    let hops: Int
    let mostHops: Int
    /// Fields `Authentication-Results:` in it that claim to be ours are taken out.
    let isForged: Bool

    init(_ file: String, _ configuration: Configuration) throws(Failure) {
        mostSize = Int(configuration.limits.messageSize.bytes)
        mostHops = configuration.limits.hops
        let path = Path(file).resolved(from: Identity.workingDirectory)
        let limit = mostSize + 1
        let content = try attempting { () throws(KernelError) in
            try DirectoryDescriptor(opening: path.parent).contents(of: path.lastComponent, limit: limit)
        }
        let lines = MessageMeasure.networkLines(content)
        size = lines.count
        hops = MessageMeasure.count("received:", in: lines)
        isForged = ForeignResults.removed(from: lines, host: configuration.hostname) != lines
    }

    /// Lines of a file end with LF, on the wire with CRLF.
    private static func networkLines(_ content: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(content.count)
        for byte in content {
            if byte == 10, out.last != 13 { out.append(13) }
            out.append(byte)
        }
        return out
    }

    /// Lines of the header that begin so.
    private static func count(_ name: String, in content: [UInt8]) -> Int {
        var found = 0
        for line in content.split(separator: 10, omittingEmptySubsequences: false) {
            if line.isEmpty || line.first == 13 { break }
            if line.count >= name.utf8.count, zip(line, name.utf8).allSatisfy({ $0 | ($0 >= 0x41 && $0 <= 0x5A ? 0x20 : 0) == $1 }) { found += 1 }
        }
        return found
    }

    var isTaken: Bool { size <= mostSize && hops <= mostHops }

    var lines: [String] {
        [
            "size: \(size) of at most \(mostSize) bytes: \(size <= mostSize ? "passed" : "refused")",
            "hops: \(hops) of at most \(mostHops): \(hops <= mostHops ? "passed" : "refused")",
        ] + (isForged ? ["authentication-results: a field claims our name: taken out"] : [])
    }

    var json: JSONValue {
        .object([
            "size": .number(size), "most_size": .number(mostSize), "hops": .number(hops), "most_hops": .number(mostHops),
            "forged_results": .boolean(isForged), "taken": .boolean(isTaken),
        ])
    }
}

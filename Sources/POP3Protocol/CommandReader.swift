// Bytes to command lines. Invariant: holds at most what was given beyond the limit, looks at each byte once,
// and gives the same lines however the stream was cut.

internal import MailModel

/// Cuts the stream into lines ended by CRLF (RFC 1939 §3), with a hard limit.
struct CommandReader: Sendable {
    enum Result: Equatable, Sendable {
        /// Without the CRLF.
        case line([UInt8])
        case incomplete
        case invalid(Fault)
    }

    /// Why a stream cannot be read on.
    enum Fault: Equatable, Sendable {
        /// No line end within the limit.
        case tooLong
        /// A CR or LF alone, or a NUL: other software might see other lines.
        case strayByte
    }

    private var bytes: [UInt8]
    private var start = 0
    /// Up to here no LF was found.
    private var scanned = 0

    init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    var count: Int { bytes.count - start }

    mutating func append(_ more: some Collection<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            scanned -= start
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Whether what comes next begins so, in any case.
    func begins(with prefix: StaticString) -> Bool {
        bytes[start...].prefix(prefix.utf8CodeUnitCount).equalsIgnoringASCIICase(prefix)
    }

    /// The next line, of at most `limit` octets with its CRLF.
    mutating func next(limit: Int) -> Result {
        let end = min(bytes.count, start + limit)
        while scanned < end, bytes[scanned] != 0x0A { scanned += 1 }
        guard scanned < end else { return count >= limit ? .invalid(.tooLong) : .incomplete }
        let line = bytes[start..<scanned]
        start = scanned + 1
        scanned = start
        guard line.last == 0x0D, line.dropLast().allSatisfy({ $0 != 0x0D && $0 != 0 }) else { return .invalid(.strayByte) }
        return .line(Array(line.dropLast()))
    }

    /// What was received and not read yet; nothing is left.
    mutating func takeRest() -> [UInt8] {
        let rest = Array(bytes[start...])
        self = CommandReader()
        return rest
    }
}

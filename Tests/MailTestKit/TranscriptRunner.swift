// Plays a transcript against protocol machines in memory: no socket, no clock, milliseconds a file.

/// The fixed world in which transcripts happen: how a protocol's tests show their machines to the runner.
///
/// Unless a `with:` line says otherwise: our domain is `example.org`, accounts `alice` and `bob` with the
/// password `secret`, the alias `team` for both, the host name `mx.example.org`, the size limit 1,000,000 octets.
package protocol TranscriptWorld {
    /// Throws for a setting that it does not know: a misspelt `with:` must not pass silently.
    init(_ settings: [Transcript.Setting]) throws
    /// A client connects; the greeting, if any, is output.
    mutating func connected(_ connection: Int)
    mutating func received(_ bytes: ArraySlice<UInt8>, on connection: Int)
    mutating func happened(_ event: Transcript.Event, on connection: Int)
    /// What the server has written to this connection since the last call.
    mutating func output(of connection: Int) -> [UInt8]
    func isClosed(_ connection: Int) -> Bool
    /// nil if it holds, else what is the case instead. `closed` and `open` are asked of the runner, not of the world.
    func unmet(_ expectation: Transcript.Expectation) -> String?
}

extension Transcript {
    /// nil if the dialogue went as written; else the first line where it did not.
    ///
    /// `chopped` hands each `C:` line to the machine byte by byte.
    package func failure<World: TranscriptWorld>(in type: World.Type, chopped: Bool = false) throws
        -> TranscriptFailure?
    {
        var play = InMemoryPlay(transcript: self, world: try World(settings), chopped: chopped)
        return play.run()
    }
}

private struct InMemoryPlay<World: TranscriptWorld> {
    let transcript: Transcript
    var world: World
    let chopped: Bool
    var unread: [Int: [UInt8]] = [:]

    mutating func run() -> TranscriptFailure? {
        for step in transcript.steps {
            if unread[step.connection] == nil {
                unread[step.connection] = []
                world.connected(step.connection)
            }
            if let reason = take(step) { return TranscriptFailure(transcript.name, line: step.line, reason) }
        }
        return leftover() ?? unmetExpectation()
    }

    private mutating func take(_ step: Transcript.Step) -> String? {
        switch step.action {
        case .send(let bytes):
            send(bytes, on: step.connection)
            return nil
        case .event(let event):
            world.happened(event, on: step.connection)
            return nil
        case .expect(let pattern):
            gather()
            guard let line = TranscriptLines.take(from: &unread[step.connection, default: []]) else {
                return "expected \(pattern.text), got nothing"
            }
            return pattern.matches(line) ? nil : "expected \(pattern.text), got \(TranscriptLines.shown(line))"
        }
    }

    private mutating func send(_ bytes: [UInt8], on connection: Int) {
        if chopped {
            for index in bytes.indices { world.received(bytes[index...index], on: connection) }
        } else {
            world.received(bytes[...], on: connection)
        }
    }

    private mutating func gather() {
        for connection in unread.keys { unread[connection, default: []] += world.output(of: connection) }
    }

    private mutating func leftover() -> TranscriptFailure? {
        gather()
        guard let (connection, bytes) = unread.first(where: { !$0.value.isEmpty }) else { return nil }
        let line = transcript.steps.last?.line ?? 0
        return TranscriptFailure(
            transcript.name, line: line, "unexpected on \(connection): \(TranscriptLines.shown(bytes))")
    }

    private func unmetExpectation() -> TranscriptFailure? {
        for expectation in transcript.expectations {
            let reason: String?
            let connection = expectation.words.first.flatMap { Int($0) } ?? 1
            switch expectation.key {
            case "closed": reason = world.isClosed(connection) ? nil : "the connection is open"
            case "open": reason = world.isClosed(connection) ? "the connection is closed" : nil
            default: reason = world.unmet(expectation)
            }
            if let reason { return TranscriptFailure(transcript.name, line: expectation.line, reason) }
        }
        return nil
    }
}

/// Lines of server output, for both runners.
enum TranscriptLines {
    /// The next line without its CRLF; nil until there is a whole one.
    static func take(from buffer: inout [UInt8]) -> ArraySlice<UInt8>? {
        var index = 0
        while index + 1 < buffer.count {
            if buffer[index] == 13, buffer[index + 1] == 10 {
                let line = buffer[..<index]
                buffer = Array(buffer[(index + 2)...])
                return line
            }
            index += 1
        }
        return nil
    }

    /// Bytes for a failure message, control characters visible.
    static func shown(_ bytes: some Collection<UInt8>) -> String {
        let text = bytes.prefix(400).map { byte -> String in
            if byte == 13 { return "\\r" }
            if byte == 10 { return "\\n" }
            return byte >= 0x20 && byte < 0x7F ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
        }
        return "“" + text.joined() + "”"
    }
}

extension LinePattern {
    var text: String {
        switch self {
        case .exact(let bytes): TranscriptLines.shown(bytes)
        case .prefix(let bytes): TranscriptLines.shown(bytes) + "…"
        case .glob(let bytes): "~ " + TranscriptLines.shown(bytes)
        }
    }
}

// Plays a transcript over a real TCP connection against the real program: blocking sockets, generous deadlines.

private import Glibc

/// A byte stream to a server; one that can do TLS is given by the tests that link a TLS library.
package protocol TranscriptStream: AnyObject {
    func send(_ bytes: [UInt8]) throws
    /// Some bytes; nil when the server has closed. Throws when `seconds` pass without either.
    func receive(seconds: Int) throws -> [UInt8]?
    func startTLS() throws
    /// Ends our sending side; the server can still speak.
    func endSending()
}

/// A failure of the network under a transcript.
package struct TranscriptStreamError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension Transcript {
    /// nil if the dialogue went as written over streams that `connect` opens, one for each connection number.
    ///
    /// `unmet` judges the `then:` lines that the runner cannot: all but `closed` and `open`.
    package func failure(
        over connect: (Int) throws -> any TranscriptStream, seconds: Int = 30,
        unmet: (Expectation) throws -> String? = { _ in nil }
    ) throws -> TranscriptFailure? {
        let play = StreamPlay(transcript: self, seconds: seconds)
        return try play.run(connect) ?? play.unmetExpectation(unmet)
    }
}

private final class StreamPlay {
    let transcript: Transcript
    let seconds: Int
    var streams: [Int: any TranscriptStream] = [:]
    var unread: [Int: [UInt8]] = [:]

    init(transcript: Transcript, seconds: Int) {
        self.transcript = transcript
        self.seconds = seconds
    }

    func run(_ connect: (Int) throws -> any TranscriptStream) throws -> TranscriptFailure? {
        for step in transcript.steps {
            let stream = try streams[step.connection] ?? connect(step.connection)
            streams[step.connection] = stream
            if let reason = try take(step, stream) {
                return TranscriptFailure(transcript.name, line: step.line, reason)
            }
        }
        return nil
    }

    private func take(_ step: Transcript.Step, _ stream: any TranscriptStream) throws -> String? {
        switch step.action {
        case .send(let bytes): try stream.send(bytes)
        case .event(.tls): try stream.startTLS()
        case .event(.endOfFile): stream.endSending()
        case .event(.deadline), .event(.shutdown): return "needs the in-memory runner"
        case .expect(let pattern):
            guard let line = try nextLine(step.connection, stream) else {
                return "expected \(pattern.text), got the end"
            }
            if !pattern.matches(line) { return "expected \(pattern.text), got \(TranscriptLines.shown(line))" }
        }
        return nil
    }

    private func nextLine(_ connection: Int, _ stream: any TranscriptStream) throws -> ArraySlice<UInt8>? {
        while true {
            if let line = TranscriptLines.take(from: &unread[connection, default: []]) { return line }
            guard let more = try stream.receive(seconds: seconds) else { return nil }
            unread[connection, default: []] += more
        }
    }

    func unmetExpectation(_ unmet: (Transcript.Expectation) throws -> String?) throws -> TranscriptFailure? {
        for expectation in transcript.expectations {
            let connection = expectation.words.first.flatMap { Int($0) } ?? 1
            let reason: String?
            switch expectation.key {
            case "closed": reason = try isClosed(connection) ? nil : "the connection is open"
            case "open": reason = nil  // Silence proves nothing in finite time; the in-memory runner judges it.
            default: reason = try unmet(expectation)
            }
            if let reason { return TranscriptFailure(transcript.name, line: expectation.line, reason) }
        }
        return nil
    }

    private func isClosed(_ connection: Int) throws -> Bool {
        guard let stream = streams[connection], unread[connection, default: []].isEmpty else { return false }
        return try stream.receive(seconds: seconds) == nil
    }
}

/// A plain TCP connection to 127.0.0.1; closed when it is released.
package final class SocketStream: TranscriptStream {
    package let descriptor: Int32

    package init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TranscriptStreamError("socket: errno \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            throw TranscriptStreamError("connect to port \(port): errno \(code)")
        }
    }

    deinit { close(descriptor) }

    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            // The server may have closed before it read all: what it said last is still to be read.
            if count < 0, errno == EPIPE || errno == ECONNRESET { return }
            guard count > 0 else { throw TranscriptStreamError("send: errno \(errno)") }
            sent += count
        }
    }

    package func receive(seconds: Int) throws -> [UInt8]? {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var result = poll(&ready, 1, Int32(clamping: seconds * 1000))
        while result < 0, errno == EINTR { result = poll(&ready, 1, Int32(clamping: seconds * 1000)) }
        guard result > 0 else { throw TranscriptStreamError("nothing from the server in \(seconds) s") }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == ECONNRESET { return nil }
        guard count >= 0 else { throw TranscriptStreamError("recv: errno \(errno)") }
        return count == 0 ? nil : Array(buffer[..<count])
    }

    package func startTLS() throws { throw TranscriptStreamError("this stream has no TLS") }
    package func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }
}

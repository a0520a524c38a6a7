// A blocking client over a plain socket, and a listening socket to inherit; every wait has an end.

import Glibc

/// A socket of the test's own; closed with the value.
final class TestClient {
    let raw: Int32
    var rest: [UInt8] = []

    init?(port: UInt16, receiveBuffer: Int32? = nil) {
        raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard raw >= 0 else { return nil }
        var limit: [Int] = [20, 0]  // a timeval
        setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &limit, 16)
        if var size = receiveBuffer { setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        let code = withLoopback(port: port) { connect(raw, $0, 16) }
        if code != 0 { return nil }
    }

    deinit { close(raw) }

    func write(_ text: String) { write(Array(text.utf8)) }
    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The next line without its end; nil at the end of the stream or after 20 seconds.
    func line() -> String? {
        while true {
            if let end = rest.firstIndex(of: 0x0A) {
                defer { rest.removeFirst(end + 1) }
                return String(decoding: rest[..<end].filter { $0 != 0x0D }, as: UTF8.self)
            }
            guard fill() > 0 else { return nil }
        }
    }

    /// Reads once; 0 at the end, negative on an error or after 20 seconds.
    func fill() -> Int {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(raw, &buffer, buffer.count, 0)
        if count > 0 { rest += buffer[..<count] }
        return count
    }

    /// How many bytes come until the end of the stream.
    func drainToEnd() -> Int {
        var total = rest.count
        rest = []
        while fill() > 0 {
            total += rest.count
            rest = []
        }
        return total
    }

    func shutdownWrites() { shutdown(raw, Int32(SHUT_WR)) }
}

/// A `sockaddr_in` of loopback, byte by byte as Linux lays it out.
private func withLoopback<Value>(port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>) -> Value) -> Value {
    var bytes: [UInt8] = [UInt8(AF_INET), 0, UInt8(port >> 8), UInt8(port & 255), 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
    return bytes.withUnsafeMutableBytes { $0.withMemoryRebound(to: sockaddr.self) { body($0.baseAddress.unsafelyUnwrapped) } }
}

/// A listening socket on a free port of loopback.
final class TestListener: Sendable {
    let raw: Int32
    let port: UInt16

    init() {
        raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let raw = raw
        port = withLoopback(port: 0) { address in
            var length: socklen_t = 16
            _ = bind(raw, address, length)
            _ = Glibc.listen(raw, 1024)
            _ = getsockname(raw, address, &length)
            return UInt16(bigEndian: UnsafeRawPointer(address).load(fromByteOffset: 2, as: UInt16.self))
        }
    }

    deinit { close(raw) }
}

/// Waits until `condition` holds, at most 20 seconds; a test then expects it and fails with the state that it saw.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<2000 {
        if condition() { return true }
        usleep(10_000)
    }
    return condition()
}

// What a program that was started says, read by who started it.

import CLinux
import Glibc

/// The two ends of a pipe.
package struct Pipe: ~Copyable {
    private let reader: Descriptor
    private var writer: Descriptor

    package init() throws(KernelError) {
        var ends: [Int32] = [-1, -1]
        _ = try attempt(.open, on: []) { Int(martlet_waiting_pipe(&ends)) }
        reader = Descriptor(adopting: ends[0], name: "pipe")
        writer = Descriptor(adopting: ends[1], name: "pipe")
    }

    /// To be given to the program before `readAll`.
    package var writingEnd: Int32 { writer.raw }

    /// All that the program writes until it ends, at most `limit` bytes.
    package mutating func readAll(limit: Int) throws(KernelError) -> [UInt8] {
        writer = Descriptor(adopting: -1)
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while all.count < limit {
            var failure: KernelError?
            let count = buffer.withUnsafeMutableBytes { (part) -> Int in
                do throws(KernelError) { return try reader.read(into: part) } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            if count == 0 { break }
            all += buffer[..<count]
        }
        return all
    }
}

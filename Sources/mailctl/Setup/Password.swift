// Passwords: made here from the kernel's randomness, or read from stdin; never an argument, which `ps` would show.

import Directory
import Kernel
import MailModel

enum Password {
    /// 80 random bits in letters and digits that nobody confuses: `k7q2-m3zx-…`.
    static func generate() throws(Failure) -> String {
        let random = try attempting { () throws(KernelError) in (try Randomness.uint64(), try Randomness.uint64()) }
        let digits = Base32.digits(random.0, count: 8) + Base32.digits(random.1, count: 8)
        let groups = stride(from: 0, to: digits.count, by: 4).map { digits[$0..<($0 + 4)].display }
        return groups.joined(separator: "-")
    }

    /// The first line of stdin.
    static func readFromStandardInput() throws(Failure) -> [UInt8] {
        let input = try attempting { () throws(KernelError) in try StandardInput.readAll(limit: 4096) }
        let line = Array(input.prefix { $0 != 0x0A && $0 != 0x0D })
        guard Secret.isPassword(line) else {
            throw Failure(.data, "stdin holds no usable password", remedy: "write one line of 1 to 1024 bytes of UTF-8 text")
        }
        return line
    }
}

enum StandardInput {
    /// Everything up to the end, or the first `limit` bytes.
    static func readAll(limit: Int) throws(KernelError) -> [UInt8] {
        let input = try Descriptor(adopting: 0, name: "stdin").duplicate()
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while out.count < limit {
            var failure: KernelError?
            let count = chunk.withUnsafeMutableBytes { buffer in
                do throws(KernelError) { return try input.read(into: buffer) } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            if count == 0 { break }
            out += chunk.prefix(count)
        }
        return Array(out.prefix(limit))
    }
}

// The message as the caller pipes it: lines of any kind in, CRLF lines out.

import Kernel
import MailFormat

/// Reads the whole message, bounded.
struct StandardInput {
    let endsAtDot: Bool
    let limit: Int

    /// Nil above the limit; throws what the kernel said, because half a message must not be taken for a whole one.
    mutating func read() throws(KernelError) -> [UInt8]? {
        let input = Descriptor(adopting: 0, name: "stdin")
        var raw: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            var count = 0
            var failure: KernelError?
            buffer.withUnsafeMutableBytes { bytes in
                do throws(KernelError) { count = try input.read(into: bytes) } catch { failure = error }
            }
            if let failure { throw failure }
            if count == 0 { break }
            raw += buffer[..<count]
            if raw.count > limit { return nil }
        }
        var out: [UInt8] = []
        var normaliser = CRLFNormaliser()
        normaliser.append(endsAtDot ? Array(StandardInput.beforeDot(raw)) : raw, to: &out)
        normaliser.finish(endLine: true, to: &out)
        return out.count > limit ? nil : out
    }

    /// What stands before a line with a single dot.
    private static func beforeDot(_ raw: [UInt8]) -> ArraySlice<UInt8> {
        var start = 0
        while let end = raw[start...].firstIndex(of: 0x0A) {
            let line = raw[start..<end]
            if line.elementsEqual([0x2E]) || line.elementsEqual([0x2E, 0x0D]) { return raw[..<start] }
            start = end + 1
        }
        return raw[start...].elementsEqual([0x2E]) ? raw[..<start] : raw[...]
    }
}

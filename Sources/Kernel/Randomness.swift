// Randomness from the kernel, for what must not be guessed.

import CLinux
import Glibc

package enum Randomness {
    package static func bytes(_ count: Int) throws(KernelError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = bytes.withUnsafeMutableBytes { martlet_getrandom($0.baseAddress, $0.count) }
        guard result == 0 else { throw KernelError(.random, code: errno) }
        return bytes
    }

    package static func uint64() throws(KernelError) -> UInt64 {
        try bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// CRC-32C (Castagnoli): detects torn and flipped content; no protection against a forger.
package enum CRC32C {
    package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing value: UInt32 = 0) -> UInt32 {
        martlet_crc32c(value, bytes.baseAddress, bytes.count)
    }
    package static func checksum(_ bytes: [UInt8], continuing value: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, continuing: value) }
    }
}

// Space for one more segment: a start on a full disk must be able to say `done` and `released`, or no space comes back.

import Kernel
import SpoolFormat

extension LogWriter {
    /// An empty file with blocks allocated beyond its end. It becomes the next segment when there is no space for another.
    static let spareName: Path = ".spare"
    /// A header and a little more, for logs without a reserve. Bytes.
    private static let smallest: Int64 = 256 << 10
    /// What must be free besides, so that deliveries come first. Bytes.
    private static let margin: Int64 = 32 << 20

    /// A segment that must go on through a full disk has its reserve from the beginning, if it is to be had.
    func newFile(_ number: UInt32, withReserve: Bool) throws(KernelError) -> Descriptor {
        try removeNewFile(number)
        let file = try folder.create(newName(number), mode: 0o640, .append)
        guard withReserve, reserve > 0, hasSpare else { return file }
        // A file system that allocates nothing is no full disk.
        do throws(KernelError) { try file.allocateBeyondEnd(reserve) } catch { if error.isNoSpace { throw error } }
        return file
    }

    /// What is allocated beyond the end of the segment that the last writer left: nothing is ever appended to it.
    func giveBackReserve() {
        guard let last = recoveredNewest else { return }
        do throws(KernelError) {
            let file = try folder.open(Path(SegmentName.name(last.segment)), .write)
            try file.truncate(to: try file.status().size)
        } catch {}  // It is only space, and it is given back when the segment goes.
    }

    func removeNewFile(_ number: UInt32) throws(KernelError) {
        do throws(KernelError) { try folder.unlink(newName(number)) } catch { if !error.isMissing { throw error } }
    }

    private func newName(_ number: UInt32) -> Path { Path(Array(".new-".utf8) + SegmentName.digits(number)) }

    /// Whether there is a spare in which nothing stands yet.
    var hasSpare: Bool {
        do throws(KernelError) {
            let status = try folder.status(of: LogWriter.spareName)
            return status.kind == .file && status.size == 0
        } catch { return false }
    }

    /// The spare, for a segment. If that fails, what was written makes it useless, and the next opening removes it.
    func takeSpare() throws(KernelError) -> Descriptor {
        spare = 0
        return try folder.open(LogWriter.spareName, .append)
    }

    func discardUsedSpare() throws(KernelError) {
        do throws(KernelError) {
            if try folder.status(of: LogWriter.spareName).size > 0 { try folder.unlink(LogWriter.spareName) }
        } catch { if !error.isMissing { throw error } }
    }

    /// Keeps the spare as large as the segment so far, since the next preamble tells no more than stands there.
    ///
    /// Nobody else may want for it: on a disk that is nearly full it is made later.
    func keepSpare(for segment: Int64) {
        let wanted = (segment + max(reserve, LogWriter.smallest) + 0xF_FFFF) & ~0xF_FFFF
        guard spare < wanted, let free = try? FileSystem(at: folder.path).free, free > wanted + LogWriter.margin else { return }
        do throws(KernelError) {
            let isThere = hasSpare
            let file = isThere ? try folder.open(LogWriter.spareName, .append) : try folder.create(LogWriter.spareName, mode: 0o640, .append)
            do throws(KernelError) { try file.allocateBeyondEnd(wanted) } catch {
                // Some file systems allocate nothing, and are not asked again: a full disk waits for an operator there.
                if !error.isNoSpace { spare = .max }
                if !isThere { try folder.unlink(LogWriter.spareName) }
                return
            }
            spare = wanted
        } catch {}  // The next commit tries again.
    }
}

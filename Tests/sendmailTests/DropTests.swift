// A drop is left whole or not at all, whatever call fails: the caller sends again what was refused.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import sendmail

@Suite struct DropTests {
    private let tree = TemporarySpool([])
    private var folder: Path { Path(tree.path) }
    private let drop = DropFile(sender: nil, recipients: [Array("a@x.example".utf8)], content: Array("Subject: x\r\n\r\nx\r\n".utf8))

    private func names() throws -> [[UInt8]] {
        try DirectoryDescriptor(opening: folder).list().map(\.name).filter { $0.first != UInt8(ascii: ".") }
    }

    @Test(arguments: ["EIO", "ENOSPC", "EINTR"])
    func whatFailsLeavesNothing(_ code: String) throws {
        var failures = 0, doubts = 0
        for call in 1... {
            let script = try #require(FaultScript("\(code)@\(call)"))
            var error: Submission.DropFailure?
            FaultInjection.running(script) {
                do throws(Submission.DropFailure) { try Submission.leave(drop, in: folder) } catch let thrown { error = thrown }
            }
            let left = try names()
            if error != nil {
                failures += 1
                #expect(left.isEmpty, "call \(call)")
                if case .inDoubt? = error { doubts += 1 }
            } else {
                #expect(left.count == 1 && left[0].starts(with: DropFile.prefix), "call \(call)")
                for name in left { try Descriptor.unlink(folder / Path(name)) }
            }
            if script.count < call { break }
        }
        // Randomness twice, create, write, sync, rename, sync of the file system; an interrupted call is repeated.
        #expect(code == "EINTR" ? failures == 0 : failures >= 5)
        #expect(doubts == (code == "EINTR" ? 0 : 1), "only of a drop that had its name")
    }

    /// A disk that fails from the last sync on cannot say that the drop is gone: the caller hears of it, and may send a second one.
    @Test func whereItCannotBeTakenBackNobodySaysThatItWasNotTaken() throws {
        var doubts = 0
        for call in 1...12 {
            let script = try #require(FaultScript("EIO@\(call)+"))
            FaultInjection.running(script) {
                do throws(Submission.DropFailure) { try Submission.leave(drop, in: folder) } catch {
                    if case .inDoubt = error { doubts += 1 }
                }
            }
            let left = try names()
            #expect(left.allSatisfy { $0.starts(with: DropFile.prefix) } == (doubts == 1 || left.isEmpty), "call \(call)")
            for name in left { try Descriptor.unlink(folder / Path(name)) }
            if doubts == 1 {
                #expect(left.count == 1)
                break
            }
        }
        #expect(doubts == 1)
    }

    @Test func anAdoptedDropCannotBeTakenBack() throws {
        let path = folder / Path("drop-x")
        let adopted = Submission.takeBack(path)
        #expect(!adopted)
        try Descriptor.create(path, mode: 0o644).close()
        let takenBack = Submission.takeBack(path)
        #expect(takenBack)
        #expect(try names().isEmpty)
    }
}

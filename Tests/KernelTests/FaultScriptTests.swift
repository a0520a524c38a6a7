// The fault point itself: which texts are plans, which calls they strike, and whom they leave alone.

import Kernel
import MailTestKit
import Testing

@Suite struct FaultScriptTests {
    @Test(arguments: [
        "kill@1", "EIO@1", "EIO@0", "ENOSPC@write:2+", "EMFILE@open:3", "EINTR@2", "EACCES@make folder:1", "EDQUOT@9", "ENOMEM@1+", "EIO@2-4", "EINTR@2-4",
    ])
    func isAPlan(_ text: String) { #expect(FaultScript(text) != nil) }

    @Test(arguments: [
        "", "@", "EIO", "EIO@", "EIO@x", "EIO@write", "EIO@write:", "EIO@nocall:1", "EWHAT@1", "kill", "@1", "EIO@1++", "EIO@-1", "EIO@write:sync:1", "EINTR@1+",
        "EIO@4-2", "EIO@2-", "EIO@2-3+", "EIO@2-3-4", "EIO@-",
    ])
    func isNoPlan(_ text: String) { #expect(FaultScript(text) == nil, "an interrupted call would be repeated for ever, a mistyped plan would test nothing") }

    /// Which of five reads and five looks fail, alternately made.
    private func struck(_ text: String) throws -> [Int] {
        let place = Place()
        place.tree.write(bytes("x"), "file")
        let file = try place.open().open("file")
        let script = try #require(FaultScript(text))
        return FaultInjection.running(script) {
            (1...10).filter { number in
                failure { if number % 2 == 1 { _ = try file.read(1, at: 0) } else { _ = try file.status() } } != nil
            }
        }
    }

    @Test(arguments: [
        ("EIO@3", [3]), ("EIO@8+", [8, 9, 10]), ("EIO@read:2", [3]), ("EIO@examine:2+", [4, 6, 8, 10]), ("EIO@write:1", []), ("EINTR@1", []), ("EIO@0", []),
        ("EIO@11", []), ("EIO@3-5", [3, 4, 5]), ("EIO@examine:2-3", [4, 6]), ("EIO@9-20", [9, 10]), ("EIO@2-2", [2]),
    ] as [(String, [Int])])
    func strikes(_ text: String, _ calls: [Int]) throws { #expect(try struck(text) == calls) }

    @Test func aScriptCountsItsOwnCallsOnly() throws {
        let place = Place()
        place.tree.write(bytes("x"), "file")
        let file = try place.open().open("file")
        let script = try #require(FaultScript("EIO@read:1+"))
        FaultInjection.running(script) { _ = failure { try file.read(1, at: 0) } }
        #expect(try file.read(1, at: 0) == bytes("x"), "without the script nothing fails")
        #expect(script.count == 1)
    }

    @Test func anErrorSaysWhatFailed() throws {
        let place = Place()
        let folder = try place.open()
        let error = try #require(failure { try folder.open("none") })
        #expect(error.description == "cannot open \(place.tree.path)/none: No such file or directory")
        #expect(error.isMissing && !error.isNoSpace && !error.exists)
        #expect(KernelError(.write, code: Code.noSpace).isNoSpace && KernelError(.write, code: Code.large).isNoSpace && !KernelError(.write, code: Code.io).isNoSpace)
    }
}

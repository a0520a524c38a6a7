// An open file: reading, writing, space, locks, and that it is closed exactly once.

import Glibc
import Kernel
import MailTestKit
import Testing

@Suite struct DescriptorTests {
    let place = Place()

    private func isOpen(_ raw: Int32) -> Bool { fcntl(raw, F_GETFD) >= 0 }

    /// A number that nothing else in this process takes.
    private func highDescriptor(_ number: Int32) throws -> Descriptor {
        let file = try place.open().create(Path("high\(number)"), mode: 0o600)
        #expect(dup2(file.raw, number) == number)
        return Descriptor(adopting: number)
    }

    @Test func itIsClosedWhenItEndsAndNotBefore() throws {
        do {
            let file = try highDescriptor(901)
            #expect(isOpen(file.raw))
        }
        #expect(!isOpen(901))
        try highDescriptor(902).close()
        #expect(!isOpen(902))
        let raw = try highDescriptor(903).release()
        #expect(raw == 903 && isOpen(903))
        _ = Glibc.close(903)
    }

    @Test func aFailedCloseClosesAllTheSame() throws {
        let script = try #require(FaultScript("EIO@close:1"))
        let error = FaultInjection.running(script) {
            failure {
                let file = try highDescriptor(904)
                try file.close()
            }
        }
        #expect(error?.code == Code.io && !isOpen(904) && script.count == 1)
    }

    @Test func readingAtAPlaceStopsAtTheEnd() throws {
        place.tree.write(bytes("0123456789"), "file")
        let file = try place.open().open("file")
        #expect(try file.read(4, at: 3) == bytes("3456"))
        #expect(try file.read(100, at: 8) == bytes("89"))
        #expect(try file.read(100, at: 10) == [] && file.read(0, at: 0) == [] && file.read(5, at: 1 << 40) == [])
    }

    @Test func twoBuffersAreWrittenInOrder() throws {
        var random = SeededGenerator()
        var expected: [UInt8] = []
        let file = try place.open().create("file", mode: 0o600, .append)
        for (head, body) in [(0, 0), (1, 0), (0, 1), (3, 5), (70_000, 200_000)] {
            let first = random.bytes(head, from: [1, 2, 3]), second = random.bytes(body, from: [4, 5, 6])
            try second.withUnsafeBytes { try file.write(first, $0) }
            expected += first + second
        }
        #expect(place.tree.read("file") == expected)
    }

    @Test func spaceIsTakenAndGivenBackWithoutAChangeOfSize() throws {
        let file = try place.open().create("file", mode: 0o600)
        try file.write([UInt8](repeating: 0x61, count: 64 * 1024))
        if let error = failure({ try file.allocateBeyondEnd(1 << 20) }) {
            print("skipped: \(error)")
            return
        }
        #expect(try file.status().size == 64 * 1024)
        #expect(place.tree.allocated("file") >= 1 << 20)
        try file.punchHole(at: 4096, length: 8192)
        #expect(try file.status().size == 64 * 1024)
        #expect(try file.read(8192, at: 4096) == [UInt8](repeating: 0, count: 8192))
        #expect(try file.read(1, at: 4095) == [0x61] && file.read(1, at: 12288) == [0x61])
        try file.truncate(to: 10)
        #expect(place.tree.size("file") == 10)
    }

    @Test func aLockHasOneHolder() throws {
        let one = try place.open(), two = try place.open()
        #expect(try one.descriptor.tryLock() && one.descriptor.tryLock())
        #expect(try !two.descriptor.tryLock())
        one.descriptor.unlock()
        #expect(try two.descriptor.tryLock())
    }

    @Test func aDuplicateSharesTheFile() throws {
        place.tree.write(bytes("abc"), "file")
        let file = try place.open().open("file")
        let copy = try file.duplicate()
        #expect(copy.raw != file.raw)
        #expect(try copy.read(3, at: 0) == bytes("abc"))
        #expect(fcntl(copy.raw, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func statusSaysWhatIsThere() throws {
        place.tree.write(bytes("abc"), "file")
        let folder = try place.open()
        let file = try folder.open("file")
        try file.setMode(0o640)
        let status = try file.status()
        #expect(status.kind == .file && status.size == 3 && status.mode == 0o640 && status.links == 1 && status.owner == Identity.userID)
        #expect(try status == folder.status(of: "file"))
        #expect(try folder.status().kind == .directory)
    }
}

@Suite struct PathTests {
    @Test(arguments: [
        ("a", "b", "a/b"), ("a/", "b", "a/b"), ("", "b", "b"), ("/", "b", "/b"), ("a", "", "a/"),
    ])
    func joined(_ folder: String, _ name: String, _ path: String) { #expect((Path(folder) / Path(name)).description == path) }

    @Test(arguments: [("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("a/b/c", "a/b", "c")])
    func parts(_ path: String, _ parent: String, _ last: String) {
        #expect(Path(path).parent == Path(parent) && Path(path).lastComponent == Path(last))
    }

    @Test func aNULMakesItEmpty() { #expect(Path([0x61, 0, 0x62]).isEmpty && Path([0x61]).bytes == [0x61]) }

    @Test(arguments: [("a", true), ("...", true), (".a", true), ("", false), (".", false), ("..", false), ("a/b", false), ("/", false)])
    func singleName(_ path: String, _ isOne: Bool) { #expect(Path(path).isSingleName == isOne) }
}

@Suite struct ChecksumTests {
    @Test(arguments: [
        (bytes("123456789"), 0xE306_9283), ([], 0), ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
    ] as [([UInt8], UInt32)])
    func knownValues(_ text: [UInt8], _ crc: UInt32) { #expect(CRC32C.checksum(text) == crc) }

    @Test func itContinuesOverAnyCut() {
        var random = SeededGenerator()
        for length in 0..<200 {
            let text = random.bytes(length, from: Array(UInt8.min...UInt8.max))
            let cut = Int.random(in: 0...length, using: &random)
            let whole = CRC32C.checksum(text)
            #expect(CRC32C.checksum(Array(text[cut...]), continuing: CRC32C.checksum(Array(text[..<cut]))) == whole)
        }
    }
}

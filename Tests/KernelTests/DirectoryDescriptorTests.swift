// What a folder of another program may hold: no link is followed, nothing blocks, and nothing leads out.

import Kernel
import MailTestKit
import Testing

/// A temporary folder and its descriptor's path.
struct Place {
    let tree = TemporarySpool([])
    func open() throws -> DirectoryDescriptor { try DirectoryDescriptor(opening: Path(tree.path)) }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The error that `body` throws; nil if it throws none.
func failure<R: ~Copyable>(_ body: () throws -> R) -> KernelError? {
    do { _ = try body() } catch { return error as? KernelError }
    return nil
}

/// `errno` values that the tests expect.
enum Code {
    static let missing: Int32 = 2, exists: Int32 = 17, crossing: Int32 = 18, notFolder: Int32 = 20, invalid: Int32 = 22, large: Int32 = 27
    static let noSpace: Int32 = 28, loop: Int32 = 40, io: Int32 = 5
}

@Suite struct DirectoryDescriptorTests {
    let place = Place()

    /// A mailbox is emptied by root while whoever captured a mailbox program may move things about in it.
    @Test func removingATreeFollowsNoLink() throws {
        let tree = place.tree
        for name in ["precious", "store", "store/box", "store/box/new"] { tree.makeFolder(name) }
        tree.write([1], "precious/kept")
        tree.write([1], "store/box/new/message")
        tree.link("store/box/away", to: tree.path + "/precious")
        tree.link("store/other", to: tree.path + "/precious")
        let store = try DirectoryDescriptor(opening: Path(tree.path + "/store"))
        try store.removeTree("box", depth: 8)
        #expect(failure { try store.removeTree("other", depth: 8) } != nil)
        #expect(failure { try store.openDirectory("other").removeTree("kept", depth: 8) } != nil)
        #expect(failure { try store.removeTree("box", depth: 8) }?.isMissing == true, "what is gone is gone")
        #expect(tree.exists("precious/kept") && !tree.exists("store/box"))
    }

    @Test func noLinkIsFollowed() throws {
        place.tree.write(bytes("secret"), "target")
        place.tree.makeFolder("real")
        place.tree.write(bytes("x"), "real/file")
        place.tree.link("link", to: "target")
        place.tree.link("folder", to: "real")
        place.tree.link("dangling", to: "nothing")
        let folder = try place.open()
        #expect(failure { try folder.open("link") }?.code == Code.loop)
        #expect(failure { try folder.open("link", .readWrite) }?.code == Code.loop)
        #expect(failure { try folder.openDirectory("folder") } != nil)
        #expect(failure { try folder.open("folder/file") }?.code == Code.loop)
        #expect(failure { try folder.openOrCreate("link", mode: 0o600) }?.code == Code.loop)
        #expect(failure { try folder.create("dangling", mode: 0o600) }?.exists == true)
        #expect(!place.tree.exists("nothing"))
        #expect(failure { try folder.contents(of: "link", limit: 100) } != nil)
        #expect(try folder.contents(of: "real/file", limit: 100) == bytes("x"))
        #expect(try folder.status(of: "link").kind == .symbolicLink)
    }

    @Test func nothingLeadsOut() throws {
        place.tree.makeFolder("inner")
        place.tree.write(bytes("x"), "file")
        let inner = try place.open().openDirectory("inner")
        #expect(failure { try inner.open("../file") }?.code == Code.crossing)
        #expect(failure { try inner.openDirectory("..") }?.code == Code.crossing)
        #expect(failure { try inner.open("/etc/passwd") }?.code == Code.crossing)
        #expect(failure { try inner.open(Path([0x61, 0x00, 0x62])) }?.isMissing == true, "a NUL makes the name that names nothing")
    }

    @Test func aFIFODoesNotBlock() throws {
        place.tree.makeFIFO("fifo")
        let folder = try place.open()
        let file = try folder.open("fifo")
        #expect(try file.status().kind == .other)
        #expect(failure { try folder.contents(of: "fifo", limit: 10) }?.code == Code.invalid)
    }

    @Test func contentsAreBounded() throws {
        place.tree.write(bytes("12345"), "file")
        place.tree.makeFolder("folder")
        place.tree.write([], "sparse")
        place.tree.resize("sparse", to: 1 << 40)
        let folder = try place.open()
        #expect(try folder.contents(of: "file", limit: 5) == bytes("12345"))
        #expect(failure { try folder.contents(of: "file", limit: 4) }?.code == Code.large)
        #expect(failure { try folder.contents(of: "sparse", limit: 1 << 20) }?.code == Code.large)
        #expect(failure { try folder.contents(of: "folder", limit: 10) }?.code == Code.invalid)
        #expect(failure { try folder.contents(of: "none", limit: 10) }?.isMissing == true)
    }

    @Test func creatingTakesNoNameThatIsTaken() throws {
        place.tree.write(bytes("old"), "file")
        let folder = try place.open()
        #expect(failure { try folder.create("file", mode: 0o600) }?.exists == true)
        #expect(failure { try folder.makeDirectory("file", mode: 0o700) }?.exists == true)
        try folder.create("new", mode: 0o600).write(bytes("n"))
        #expect(failure { try folder.renameNoReplace("new", to: folder, as: "file") }?.exists == true)
        #expect(place.tree.read("file") == bytes("old"))
        try folder.rename("new", to: "file")
        #expect(place.tree.read("file") == bytes("n") && !place.tree.exists("new"))
        try folder.renameNoReplace("file", to: folder, as: "free")
        #expect(place.tree.names("") == ["free"])
    }

    @Test func aListHasEachEntryOnceWithItsKind() throws {
        for number in 0..<300 { place.tree.write([], "file\(number)") }
        place.tree.makeFolder("folder")
        place.tree.link("link", to: "file1")
        place.tree.makeFIFO("fifo")
        let folder = try place.open()
        for _ in 0..<2 {
            let list = try folder.list()
            #expect(Set(list).count == 303 && list.count == 303)
            let kinds = Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.kind) })
            #expect(kinds[bytes("folder")] == .directory && kinds[bytes("link")] == .symbolicLink && kinds[bytes("fifo")] == .other)
            #expect(kinds[bytes("file7")] == .file)
        }
    }

    @Test func removing() throws {
        place.tree.makeFolder("folder")
        place.tree.write([], "folder/file")
        let folder = try place.open()
        #expect(failure { try folder.unlink("folder") } != nil && failure { try folder.removeDirectory("folder") } != nil)
        try folder.openDirectory("folder").unlink("file")
        try folder.removeDirectory("folder")
        #expect(try folder.list().isEmpty)
        #expect(failure { try folder.unlink("folder") }?.isMissing == true)
    }
}

@Suite struct ReplaceTests {
    private static let old = bytes("old content"), new = bytes("the new content, which is longer")

    /// At each call, for one error and for all that follow: a reader sees the old or the new, and the new once it returned.
    @Test(arguments: ["EIO", "ENOSPC", "EMFILE"], ["", "+"]) func hasTheOldOrTheNewContent(_ code: String, _ stays: String) throws {
        var call = 1
        while true {
            let place = Place()
            place.tree.write(ReplaceTests.old, "file")
            let folder = try place.open()
            let script = try #require(FaultScript("\(code)@\(call)\(stays)"))
            let error = FaultInjection.running(script) { failure { try folder.replace("file", with: ReplaceTests.new, mode: 0o600) } }
            let content = place.tree.read("file")
            #expect(content == ReplaceTests.old || content == ReplaceTests.new, "\(code) at \(call)")
            if error == nil { #expect(content == ReplaceTests.new, "\(code) at \(call)") }
            // Whatever was left behind is no obstacle.
            try folder.replace("file", with: bytes("later"), mode: 0o600)
            #expect(place.tree.read("file") == bytes("later") && place.tree.names("") == ["file"])
            if script.count < call { break }
            call += 1
        }
        #expect(call == 9, "unlink, create, write, sync, close, rename, sync of the folder and its status; a call more is a call to think about")
    }

    /// Killed writers have other process ids: their leftovers must not add up.
    @Test func removesWhatAKilledProcessLeft() throws {
        let place = Place()
        place.tree.write(bytes("half"), ".tmp-file")
        try place.open().replace("file", with: ReplaceTests.new, mode: 0o600)
        #expect(place.tree.names("") == ["file"])
        #expect(place.tree.read("file") == ReplaceTests.new)
    }

    @Test func theFileIsSyncedBeforeItsNameAndTheNameBeforeReturning() throws {
        let place = Place()
        let folder = try place.open()
        let script = try #require(FaultScript("EIO@sync:1"))
        #expect(FaultInjection.running(script) { failure { try folder.replace("file", with: [1], mode: 0o600) } } != nil)
        #expect(!place.tree.exists("file"), "no rename without the sync")
        let second = try #require(FaultScript("EIO@sync:2"))
        #expect(FaultInjection.running(second) { failure { try folder.replace("file", with: [1], mode: 0o600) } } != nil)
    }
}

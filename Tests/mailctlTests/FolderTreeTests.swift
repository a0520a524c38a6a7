// A mailbox is emptied by root while whoever captured a mailbox program may move things about in it.

import Kernel
import MailTestKit
import Testing

@testable import mailctl

@Suite struct FolderTreeTests {
    private let tree = TemporarySpool()

    @Test func linksLeadNowhere() throws {
        for name in ["precious", "store", "store/box", "store/box/new"] { tree.makeFolder(name) }
        tree.write([1], "precious/kept")
        tree.write([1], "store/box/new/message")
        tree.link("store/box/away", to: tree.path + "/precious")
        tree.link("store/other", to: tree.path + "/precious")
        let store = try DirectoryDescriptor(opening: Path(tree.path + "/store"))
        let isGone = ["box", "other", "other/kept", "box"].map { FolderTree.remove($0, in: store) }
        #expect(isGone == [true, false, false, true], "what is gone is gone, and what is not there by its own name stays")
        #expect(tree.exists("precious/kept") && !tree.exists("store/box"))
    }
}

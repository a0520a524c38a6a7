// The table of folders: whole, in order, and the same as the page in the tree.

import Configuration
import Kernel
import Testing
@testable import mailctl

@Suite struct SpoolTreeTests {
    /// The top of the checkout, from where this file is compiled.
    private func file(_ path: String) throws -> String {
        let here = Path(#filePath).resolved(from: Identity.workingDirectory)
        let folder = (here.parent / "../.." / Path(path)).normalized
        let bytes = try DirectoryDescriptor(opening: folder.parent).contents(of: folder.lastComponent, limit: 1 << 20)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func thePageIsTheTable() throws {
        #expect(try file("spool/README.md") == SpoolTree.page)
    }

    @Test func theTrackedConfigurationIsWhatInitWritesForDevelopment() throws {
        let values = try #require(ConfigurationSample.development(basePort: ConfigurationSample.developmentBasePort))
        #expect(try file("etc/martlet.toml") == ConfigurationSample.text(values, purpose: ConfigurationSample.developmentPurpose))
    }

    @Test func parentsStandBeforeTheirChildren() {
        var seen: Set<String> = []
        for folder in SpoolTree.folders {
            let key = "\(folder.place.rawValue)/\(folder.path)"
            #expect(seen.insert(key).inserted, "\(key) twice")
            if let slash = folder.path.lastIndex(of: "/") {
                #expect(seen.contains("\(folder.place.rawValue)/\(folder.path[..<slash])"), "\(key)")
            }
        }
    }

    @Test func nothingButTheDropFolderIsOpenToStrangersForWriting() {
        #expect(SpoolTree.folders.filter { $0.mode & 0o002 != 0 }.map(\.path) == ["drop"])
        #expect(SpoolTree.folders.first { $0.path == "drop" }?.mode == 0o1733)
    }

    @Test func eachServiceOwnsItsFolderAlone() {
        for service in Service.allCases {
            let owned = SpoolTree.folders.filter { $0.place == .spool && $0.path.hasPrefix(service.rawValue + "/") }
            #expect(owned.contains { $0.path == "\(service.rawValue)/events" })
            #expect(owned.allSatisfy { $0.owner == .service(service) && $0.mode & 0o020 == 0 })
        }
    }

    @Test func remotedReadsNoMailboxAndNoPassword() {
        let groups = Set(ServiceGroup.groups(of: .remoted))
        #expect(groups == [.services, .spool])
        #expect(Set(ServiceGroup.groups(of: .smtpd)) == [.services, .tls])
    }
}

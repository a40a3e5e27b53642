"""Types of the API's answers, from which scripts/build_schemas.py builds `schemas.json`."""

from __future__ import annotations

from msgspec import Struct

from recce_meta.api.browse.node_details import NodeDetails
from recce_meta.api.browse.search import SearchHit
from recce_meta.api.browse.summaries import DatabaseScans, ListedNode, StoredProject, TableSize
from recce_meta.models import RunMetadata
from recce_meta.models.checks import StoredCheck
from recce_meta.models.marks.annotation import Annotation
from recce_meta.models.quality import QualityRun, TableQuality
from recce_meta.report.json import DiffDocument, ImpactDocument, LineageDocument, QualityDocument, RunDocument
from recce_meta.report.quality_history import QualityHistoryDocument
from recce_meta.report.review.notes import NoteChange, NotesDocument
from recce_meta.repositories.extraction.manifest_reader import UploadRequest
from recce_meta.repositories.service.answers import (
    ActiveJob,
    ConnectionAnswer,
    ConnectionStatistics,
    ConnectionTest,
    ExtractAnswer,
    JobAnswer,
    JobDetails,
    ProgressAnswer,
)
from recce_meta.repositories.service.deliveries import ReceivedDelivery
from recce_meta.repositories.service.webhooks import WebhookAnswer
from recce_meta.repositories.state.requests import ConnectionChange, NewConnection
from recce_meta.server.access.problems import ErrorAnswer
from recce_meta.server.api.answers import AnnotationRequest, ServedStore
from recce_meta.server.api.connection_routes import CreatedConnection, ExtractRequest, TokenAnswer
from recce_meta.server.api.exchange import (
    BundleAnswer,
    ExchangeInventory,
    LackingAnswer,
    LackingRequest,
    ObjectsRequest,
    PiecesRequest,
)
from recce_meta.server.api.ide_project import SyncRequest
from recce_meta.server.api.lineage import ImpactAnswer, LineageAnswer
from recce_meta.server.api.webhook_routes import SetUpRequest
from recce_meta.server.api.workspaces import (
    NewWorkspace,
    SyncAnswer,
    WorkspaceAnswer,
    WorkspaceChange,
    WorkspaceLineage,
)
from recce_meta.server.site.uploads import UploadAnswer

PLAIN: tuple[type[Struct], ...] = (
    ErrorAnswer,
    ServedStore,
    StoredProject,
    RunMetadata,
    RunDocument,
    ListedNode,
    NodeDetails,
    LineageDocument,
    ImpactDocument,
    DiffDocument,
    SearchHit,
    DatabaseScans,
    TableSize,
    StoredCheck,
    Annotation,
    NoteChange,
    NotesDocument,
    AnnotationRequest,
    NewConnection,
    ConnectionChange,
    ConnectionAnswer,
    CreatedConnection,
    ExtractRequest,
    ExtractAnswer,
    ProgressAnswer,
    JobAnswer,
    JobDetails,
    ActiveJob,
    ConnectionStatistics,
    ConnectionTest,
    UploadRequest,
    UploadAnswer,
    TokenAnswer,
    LineageAnswer,
    ImpactAnswer,
    ReceivedDelivery,
    SetUpRequest,
    WebhookAnswer,
    NewWorkspace,
    WorkspaceChange,
    WorkspaceAnswer,
    SyncRequest,
    SyncAnswer,
    WorkspaceLineage,
    BundleAnswer,
    ExchangeInventory,
    LackingRequest,
    LackingAnswer,
    ObjectsRequest,
    PiecesRequest,
)
"""Types that msgspec encodes."""
TREES: tuple[type[Struct], ...] = (QualityRun, TableQuality, QualityDocument, QualityHistoryDocument)
"""Types that `report.json.data_tree` encodes, with their computed fields."""

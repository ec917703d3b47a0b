package com.amazonaws.services.lambda.crac;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The resources of a function, in the order in which they were registered. They are not kept alive for their hooks: by the
 * specification of CRaC whoever registers a resource holds on to it.
 */
final class Registered extends Context<Resource> {
    private final List<WeakReference<Resource>> resources = new ArrayList<WeakReference<Resource>>();

    @Override
    public synchronized void register(Resource resource) {
        resources.add(new WeakReference<Resource>(resource));
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
        CheckpointException failure = new CheckpointException();
        List<Resource> all = all();
        Collections.reverse(all);
        for (Resource resource : all)
            try {
                resource.beforeCheckpoint(this);
            } catch (CheckpointException thrown) {
                for (Throwable inner : thrown.getSuppressed()) failure.addSuppressed(inner);
            } catch (Exception thrown) {
                failure.addSuppressed(thrown);
            }
        if (failure.getSuppressed().length > 0) throw failure;
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) throws RestoreException {
        RestoreException failure = new RestoreException();
        for (Resource resource : all())
            try {
                resource.afterRestore(this);
            } catch (RestoreException thrown) {
                for (Throwable inner : thrown.getSuppressed()) failure.addSuppressed(inner);
            } catch (Exception thrown) {
                failure.addSuppressed(thrown);
            }
        if (failure.getSuppressed().length > 0) throw failure;
    }

    private synchronized List<Resource> all() {
        List<Resource> all = new ArrayList<Resource>();
        for (WeakReference<Resource> reference : resources) {
            Resource resource = reference.get();
            if (resource != null) all.add(resource);
        }
        return all;
    }
}
